"""The commands that README.md, CONTRIBUTING.md and docs/ show: where they stand, and what is wrong.

A command stands in a block of `sh`, `bash`, `console` or `powershell`, or in the text between two
backticks. `fault` finds what is wrong with one without running it: a file, an option or an
environment that is not there. `tests/pages/ways.py` says how each command of a block is run.

The examples of the handout and the task pages are another matter: `tests/handout/test_examples.py`
runs them in lab time.
"""

from __future__ import annotations

import configparser
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from ml_api_lab.cli import main as command_line
from tests.handout.markdown import blocks
from tests.proofs.prover import COURSE

SHELLS = ("sh", "bash", "console", "powershell")
PAGES = [
    COURSE / "README.md",
    COURSE / "CONTRIBUTING.md",
    COURSE / "CHANGELOG.md",
    *sorted((COURSE / "docs").glob("*.md")),
]
HANDOUT = COURSE / "docs" / "lab.md"

_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_BEGINS = re.compile(r"(?:[A-Z]+=\S+ )?(?:lab|pytest|tox|python|python3|pip) ")
_SET = re.compile(r"[A-Z_]+=")
_TAKE_A_WORD = {"-c", "-e", "-k", "-n", "-p", "--dist", "--report"}
"""Options of pytest and pip whose value is the next word."""

_KEPT_BY_OTHER_NAMES = {"-c", "-k", "-n", "-p", "-q", "-s", "-v", "-x", "--dist", "--tb"}
_ADDED = "task_9_1"
"""The task that CONTRIBUTING.md adds."""

_TYPED_IN = ("example.py", "main.py", "train.py")
"""Programs of the reader's own, in a folder of their own."""

_OTHERS = {"cd", "curl", "dask", "git", "mkdir", "tar", "uvicorn", "zip", ".", "PATH"}
"""Programs that are not the lab's, whose options are not looked at."""


@dataclass(frozen=True)
class Command:
    """A command as it stands in a page, without the comment behind it."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def in_blocks(page: Path) -> Iterator[Command]:
    """Yield the commands of a page's blocks, in their order."""
    for block in blocks(page):
        if block.language in SHELLS:
            for number, row in enumerate(block.text.splitlines(), start=block.line + 1):
                text = row.removeprefix("$ ").partition("  # ")[0].strip()
                if text and not text.startswith("#"):
                    yield Command(page.relative_to(COURSE).as_posix(), number, text)


def in_text(page: Path) -> Iterator[Command]:
    """Yield the commands that stand in a page's sentences and tables."""
    text = page.read_text(encoding="utf-8")
    text = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    for span in _SPAN.finditer(text):
        if _BEGINS.match(span[1]):
            line = text.count("\n", 0, span.start()) + 1
            yield Command(page.relative_to(COURSE).as_posix(), line, " ".join(span[1].split()))


def fault(text: str, options: Collection[str]) -> str | None:
    """Return what is wrong with a command of a POSIX shell, or None.

    Args:
        options: the names under which pytest and its plugins keep their options.
    """
    for words in _simple_commands(text):
        program, rest = words[0], words[1:]
        found = None
        if program == "lab":
            found = _fault_of_lab(rest)
        elif program == "pytest":
            found = _fault_of_pytest(rest, options)
        elif program == "tox":
            found = _fault_of_tox(rest)
        elif program in ("python", "python3"):
            found = _fault_of_python(rest)
        elif program == "pip":
            found = _fault_of_pip(rest)
        elif program not in _OTHERS:
            found = f"{program} is no program that the pages use"
        if found is not None:
            return found
    return None


def _simple_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line, without the variables that are set for it."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set(";&|"):
            if words:
                yield words
            words = []
        elif words or not _SET.match(word):
            words.append(word)


def _fault_of_lab(words: list[str]) -> str | None:
    command: click.Command = command_line.lab
    context = click.Context(command, info_name="lab")
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        if words[0].isupper():
            return None  # stands for any command
        found = command.get_command(context, words[0])
        if found is None:
            return f"lab has no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    try:
        command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        return error.format_message()
    return None


def _fault_of_pytest(words: list[str], options: Collection[str]) -> str | None:
    rest = iter(words)
    for word in rest:
        name = word.partition("=")[0]
        if word.startswith("-"):
            kept = name.removeprefix("--").replace("-", "_")
            if kept not in options and name not in _KEPT_BY_OTHER_NAMES:
                return f"pytest has no option {name}"
            if word in _TAKE_A_WORD:
                next(rest, None)
        elif _ADDED not in word and not (COURSE / word.partition("::")[0]).exists():
            return f"there is no {word}"
    return None


def _fault_of_tox(words: list[str]) -> str | None:
    known = configparser.ConfigParser()
    known.read(COURSE / "tox.ini", encoding="utf-8")
    wanted = words[words.index("-e") + 1].split(",") if "-e" in words else []
    missing = [each for each in wanted if f"testenv:{each}" not in known]
    return f"tox.ini has no environment {missing[0]}" if missing else None


def _fault_of_python(words: list[str]) -> str | None:
    if words[0] == "-m":
        if words[1] == "pip":
            return _fault_of_pip(words[2:])
        found = importlib.util.find_spec(words[1])
        return None if found is not None else f"there is no module {words[1]}"
    if words[0].startswith("-") or words[0] in _TYPED_IN or (COURSE / words[0]).is_file():
        return None
    return f"there is no {words[0]}"


def _fault_of_pip(words: list[str]) -> str | None:
    project = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "-c" and not (COURSE / following).is_file():
            return f"there is no {following}"
        if extra := re.fullmatch(r"\.\[(.+)\]", word):
            missing = set(extra[1].split(",")) - extras.keys()
            if missing:
                return f"the package has no extra {missing.pop()}"
    return None
