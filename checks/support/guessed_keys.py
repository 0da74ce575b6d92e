"""What might pass for a key: near misses of the right one, and words that stand in the files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.support.source import source_constants, where_it_stands
from ml_api_lab.check import SubmissionFault

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_PLAUSIBLE_KEY = re.compile(r"[!-~]([ -~]{,62}[!-~])?")
_SMALL_FILE_BYTES = 10_000
_MAX_KEYS_TRIED = 300
"""How many words of a file, and of all files, are tried as keys."""


def is_plausible_key(text: str) -> bool:
    """Whether a header can carry it, and nobody would be surprised at such a key."""
    return _PLAUSIBLE_KEY.fullmatch(text) is not None


def near_misses(key: str) -> dict[str, str]:
    """Return what looks like the key, and what each of them is for a sentence."""
    other = "1" if key[-1] == "0" else "0"
    return {
        "": "an empty one",
        key[:-1]: "KEY without its last letter",
        key[1:]: "KEY without its first letter",
        f"{key}0": "KEY0",
        f"0{key}": "0KEY",
        key.upper(): "KEY in capitals",
        key[:-1] + other: "KEY with another last letter",
        "".join(sorted(key)): "the letters of KEY in another order",
        f"Bearer {key}": "Bearer KEY",
        f"x {key}": "x KEY",
        f"x,{key}": "x,KEY",
        f'"{key}"': '"KEY"',
        "*": "*",
    }


def keys_in_source(task: Task) -> list[str]:
    """Return what the code might take for a key: when it is given none, or beside its own."""
    found = sorted(filter(is_plausible_key, source_constants(task)))
    return found[:_MAX_KEYS_TRIED]


def keys_in_other_files(task: Task) -> set[str]:
    """Return what other files beside the code might hold as a key: `.env.example`, say."""
    found: set[str] = set()
    for name in task.files.names():
        if name.endswith((".py", ".pkl")):
            continue
        try:
            text = task.files.data(name, _SMALL_FILE_BYTES).decode("utf-8", errors="replace")
        except SubmissionFault:  # it is too large
            continue
        words = re.split(r"[\s=:\"',]+", text)
        found.update(filter(is_plausible_key, words))
        if len(found) > _MAX_KEYS_TRIED:
            break
    return found


def where_key_is(task: Task, key: str) -> str:
    """Return where a key is found that nobody has set, as a sentence."""
    names = [
        name
        for name in task.files.names()
        if not name.endswith(".pkl") and task.files.contains(name, key.encode())
    ]
    if any(key in line.text for line in task.transcript.lines):
        return "The program has printed this key."
    if names:
        return f"This key stands in {' and '.join(names[:2])}."
    return where_it_stands(task, "API_KEY")
