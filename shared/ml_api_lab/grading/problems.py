"""Problem lines: one stable line for each failed check, which an editor turns into a mark.

A line is `exercises/task_3_2/main.py:14: sentence`, with the path from the course's root. Only a
program that sets `LAB_EDITOR=1` gets these lines; `.vscode/tasks.json` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ml_api_lab.course import stubs

if TYPE_CHECKING:  # `lab watch` asks for what is here before it loads what grades
    from ml_api_lab.course.tree import Tree
    from ml_api_lab.grading.verdict import Verdict

VARIABLE = "LAB_EDITOR"


def are_wanted() -> bool:
    """Whether who started this program reads problem lines."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def problem_line(file: str, line: int, sentence: str) -> str:
    """Return a problem line.

    Args:
        file: the path from the course's root.
        line: the number of the line, from 1.
        sentence: what is wrong; of several rows one is made.
    """
    return f"{file}:{max(line, 1)}: {' '.join(sentence.split())}"


def problem_lines(course: Path, tree: Tree, verdicts: Iterable[Verdict]) -> list[str]:
    """Return a line for each failed check, none if nobody wants them.

    A line points to where the submission raised the error that stopped the check; else to the first
    placeholder of the task; else to the start of the file in which the work is. For a task without
    a folder it points to the page that says what to build.
    """
    if not are_wanted():
        return []
    return [problem_line(*_place(course, tree, each), each.message) for each in verdicts]


def _place(course: Path, tree: Tree, verdict: Verdict) -> tuple[str, int]:
    task = verdict.check.task
    if verdict.is_absent:
        return f"checks/{task}/README.md", 1
    shown, folder = tree.shown(task), tree.folder(task)
    if (frame := verdict.last_frame) is not None:
        return f"{shown}/{frame.file.removeprefix(f'{shown}/')}", frame.line
    names = stubs.files_to_edit(course, task)
    for name in names:
        if line := stubs.line_of_placeholder(folder / name):
            return f"{shown}/{name}", line
    there = [name for name in (*names, "main.py") if (folder / name).is_file()]
    return f"{shown}/{next(iter([*there, *names, 'main.py']))}", 1
