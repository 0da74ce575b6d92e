"""How a program reads .env: asked after a failure, for what its sentence says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.support.probe import reports_of
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_SCRIPT = Path(__file__).resolve().parent / "scripts" / "watch_env.py"
_CALLS = ("load_dotenv", "dotenv_values")


@dataclass(frozen=True)
class _Report:
    steps: list[str]


async def why_unread(task: Task, failed: str, paths: Mapping[str, str]) -> Hinted:
    """Return that the start failed with a right .env, and how the program had come to read it.

    Args:
        failed: how it failed, as a sentence.
        paths: both variables; the process gets them, so that the program comes to its end.
    """
    steps = await _steps(task, paths)
    if "read" not in steps:
        return Hinted(failed, "When does load_dotenv run, and when are the two variables read?")
    first, line = steps[0], task.files.text(".env").splitlines()[0]
    if not {"open", *_CALLS} & set(steps):
        return Hinted(
            f"{failed} Nothing called load_dotenv or opened .env.",
            "Which line of your program reads the file .env?",
        )
    if first == "read":
        later = next(each for each in steps if each != "read")
        how = "the file was opened" if later == "open" else f"{later} was called"
        return Hinted(
            f"{failed} The variables were read before {how}.",
            "In which order do these lines run: the one that reads .env, and those that read the "
            "variables?",
        )
    if first == "open":
        return Hinted(
            f"{failed} The program read .env by itself, without python-dotenv; its first line is: "
            f"{line}",
            "What does python-dotenv make of export, of quotes and of a comment, and what does "
            "your code?",
        )
    return Hinted(
        f"{failed} {first} was called before the variables were read; .env lies beside main.py.",
        "Which file does that call read, and what becomes of what it has read?",
    )


async def _steps(task: Task, paths: Mapping[str, str]) -> list[str]:
    """Return what an import of main.py does first: call load_dotenv, open .env, read a variable."""
    reports = await reports_of(task, _SCRIPT, _Report, paths)
    return reports[-1].steps if reports else []
