"""Pictures of a terminal in README.md and docs/: what commands of the lab really print.

`SCREENS` has one function for each picture. It runs a command in a student's copy of the course,
and returns the rows that the picture shows. They are the same in each run: the width and the seed
are fixed, and so are the figures that come from the wall clock.

    pytest tests/pages/all_pictures.py --update-pictures

draws all of them anew with rich, which `pip install -e ".[docs]"` installs.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.proofs.prover import COURSE, LEFT_OUT, cases
from tests.support.terminal import Terminal, screens
from tests.support.toy import LIMIT, own_environment

FOLDER = COURSE / "docs" / "pictures"
COLUMNS = 100
LINES = 20
"""The height of the window of `lab watch`: it leaves out the command, which has a random seed."""

UPDATE = "pytest tests/pages/all_pictures.py --update-pictures"

_CODES = re.compile(r"\x1b\[[0-9;]*m")
_WALL_CLOCK = re.compile(r"\d\d:\d\d:\d\d(: \d+ of \d+ points, in )\d+\.\d s")
_EXAMPLE = r"10:15:00\g<1>0.4 s"
"""A moment and a duration that stand in each picture in place of the real ones."""

_DONE = ("0_1", "0_2", "0_3", "1_1", "1_2", "1_3", "2_1", "2_2", "2_3", "2_4", "3_1")


@dataclass(frozen=True)
class Screen:
    """What a picture shows.

    Attributes:
        command: what was typed.
        rows: what the terminal shows of its output, with the codes of colours.
    """

    command: str
    rows: tuple[str, ...]

    @property
    def text(self) -> list[str]:
        """The rows as one reads them."""
        return [_CODES.sub("", row).rstrip() for row in self.rows]


def student_course(
    folder: Path, *, done: Sequence[str] = (), mistake: tuple[str, str] | None = None
) -> Path:
    """Write a student's copy of the course.

    Args:
        folder: a folder that is not there yet.
        done: the tasks that hold the reference solution; all others are stubs.
        mistake: a task, and the name of the mistake that the student has made in it.
    """
    for name in ("checks", "exercises"):
        shutil.copytree(COURSE / name, folder / name, ignore=LEFT_OUT)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(COURSE / name, folder)
    exercises = folder / "exercises"
    for task in done:
        shutil.rmtree(exercises / f"task_{task}")
        shutil.copytree(
            COURSE / "solutions" / f"task_{task}", exercises / f"task_{task}", ignore=LEFT_OUT
        )
    if mistake is not None:
        shutil.rmtree(exercises / mistake[0])
        case = next(each for each in cases("mistake") if (each.task, each.name) == mistake)
        case.write(exercises)
    return folder


_BLOCKED = ("task_3_2", "the sleep blocks the loop")


def card(folder: Path) -> Screen:
    """Return the card of one failed check, as pytest shows it."""
    course = student_course(folder, mistake=_BLOCKED)
    printed = _pytest(course, "checks/task_3_2", "--seed=1", "--color=yes")
    texts = [_CODES.sub("", row) for row in printed]
    last = next(n for n, text in enumerate(texts) if "::test_others_are_" in text)
    first = max(n for n in range(last) if texts[n].startswith("____")) + 1
    return Screen("pytest checks/task_3_2 --seed=1", tuple(printed[first : last + 1]))


def watch(folder: Path) -> Screen:
    """Return the screen of `lab watch` after its first grading."""
    created_late = next(
        each.name
        for each in cases("mistake")
        if (each.task, each.check) == ("task_0_3", "test_it_creates_both_before_it_waits")
    )
    course = student_course(folder, mistake=("task_0_3", created_late))
    terminal = Terminal(course, "watch", "0.3", columns=COLUMNS, lines=LINES, has_colours=True)
    try:
        terminal.expect("points, in")
        terminal.expect(r"q quit.*?\x1b\[J")
    finally:
        terminal.close()
    rows = screens(terminal.shown, has_colours=True)[-1]
    return Screen("lab watch 0.3", tuple(_WALL_CLOCK.sub(_EXAMPLE, row) for row in rows))


def points(folder: Path) -> Screen:
    """Return the table of points of somebody in the middle of the course, as pytest shows it."""
    course = student_course(folder, done=_DONE, mistake=_BLOCKED)
    printed = _pytest(course, "--seed=1")
    first = next(n for n, row in enumerate(printed) if row.startswith("Part 0"))
    last = next(n for n, row in enumerate(printed) if row.startswith("Total"))
    return Screen("pytest", tuple(printed[first : last + 1]))


SCREENS: dict[str, Callable[[Path], Screen]] = {"card": card, "watch": watch, "points": points}


def _pytest(course: Path, *words: str) -> list[str]:
    """Run pytest in a course whose student lacks points; return the rows that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=course,
        env=own_environment(COLUMNS=str(COLUMNS)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    rows = done.stdout.splitlines()
    # A traceback has the same exit status.
    assert done.returncode == 1 and "ML API lab: exercises" in done.stdout, (
        done.stdout + done.stderr
    )
    return rows


# --- drawing ------------------------------------------------------------------------------------

_BACKGROUND, _FOREGROUND = (24, 26, 31), (221, 224, 228)
_COLOURS = [
    (110, 115, 125),
    (255, 123, 114),
    (86, 211, 100),
    (227, 179, 65),
    (121, 192, 255),
    (210, 168, 255),
    (86, 212, 221),
    (221, 224, 228),
]
"""Black to white of a terminal; each but black can be read well on the background."""

_SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{
font: {char_height}px ui-monospace, Menlo, Consolas, monospace; white-space: pre;
}}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""rich's own template loads a font from the internet; a picture of ours asks for nothing."""

_CHARACTER, _LINE = 12.2, 24.4
"""The width of a column and the height of a row in rich's pictures."""


def draw(name: str, screen: Screen) -> str:
    """Return a picture of a screen as SVG."""
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="standard")
    # The last row of a picture of rich's is cut at its lower edge: an empty one is.
    for row in (*screen.rows, ""):
        console.print(Text.from_ansi(row), no_wrap=True, overflow="ignore", crop=True)
    svg: str = console.export_svg(
        title=screen.command,
        theme=TerminalTheme(_BACKGROUND, _FOREGROUND, _COLOURS, _COLOURS),
        code_format=_SVG,
        unique_id=name,
    )
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def shown(svg: str) -> Screen:
    """Return what a picture shows, without colours: the texts, each at its place."""
    root = ElementTree.fromstring(svg)
    texts = [each for each in root.iter() if each.tag.endswith("}text")]
    [title] = [each.text or "" for each in texts if "clip-path" not in each.attrib]
    rows: defaultdict[int, str] = defaultdict(str)
    for each in texts:
        if "clip-path" in each.attrib:
            number, column = _place(each.attrib)
            rows[number] = rows[number].ljust(column) + (each.text or "")
    lines = (rows[number].replace("\xa0", " ").rstrip() for number in range(max(rows) + 1))
    text = "\n".join(lines).rstrip()
    return Screen(title.replace("\xa0", " "), tuple(text.split("\n")))


def _place(attributes: dict[str, Any]) -> tuple[int, int]:
    """Return the row and the column of a text."""
    return int(float(attributes["y"]) // _LINE), round(float(attributes["x"]) / _CHARACTER)
