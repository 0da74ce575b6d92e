"""`lab watch`: in a real terminal, and without one."""

from __future__ import annotations

import glob
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ml_api_lab.cli.changes import Changes, look
from ml_api_lab.cli.commands.watch import Watch
from ml_api_lab.course.place import find
from ml_api_lab.errors import LabError
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import Graded, History
from ml_api_lab.trials.grader import Grader, Grading
from tests.support.graded import ON_WINDOWS
from tests.support.lab import COMMAND, Lab
from tests.support.terminal import Terminal, in_a_terminal, screens
from tests.support.toy import LIMIT, own_environment
from tests.support.toy_tasks import RIGHT

HALF = 'print("hello")\n'


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for each in opened:
        each.close()


def history(lab: Lab, number: int) -> list[Graded]:
    """Return the lines of the history: so many, or those that are there at the limit.

    A line is written after its verdict has been shown.
    """
    give_up = time.monotonic() + LIMIT
    while time.monotonic() < give_up:
        if len(rows := History(lab_folder(lab.course)).rows()) >= number:
            break
        time.sleep(0.01)
    return rows


@in_a_terminal
def test_it_grades_at_each_save_and_hears_keys(lab: Lab, terminals: list[Terminal]) -> None:
    terminal = Terminal(lab.course, "watch", "0.1")
    terminals.append(terminal)
    terminal.expect("0 of 10 points, in")
    terminal.expect("q quit")
    lab.exercise("task_0_1").write_text(HALF, encoding="utf-8")
    terminal.expect("4 of 10 points, in")
    assert "It took 0 s; 2 s is right." in terminal.shown
    terminal.press("h")
    terminal.expect(r"Look\.")
    for _ in range(3):
        terminal.press("h")
    terminal.expect(r"Think\.")
    # The lab's last hint is the one of the check that failed; once more shows the same.
    terminal.expect(r"the last one\)")
    terminal.expect(r"the last one\)")
    terminal.press("l")
    terminal.expect("> 0.1  Toy task_0_1")
    terminal.press("a")
    terminal.expect(r"Again: pytest checks/task_0_1/test_toy.py::test_waits")
    terminal.expect("Any key")
    terminal.press("?")
    terminal.expect("Keys: h next hint, n next task")
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    terminal.expect(r"All points\. Next \(n\): 0\.2 Toy task_0_2\.")
    terminal.press("n")
    terminal.expect("0.2 is not started yet: read checks/task_0_2/README.md")
    terminal.press("p")
    terminal.expect("0.1 Toy task_0_1: 10 of 10 points")
    terminal.press("n")
    terminal.expect("0.2 Toy task_0_2: 0 of 10 points")
    terminal.press("q")
    assert terminal.status() == 1
    rows = History(lab_folder(lab.course)).rows()
    assert [(row.task, row.points) for row in reversed(rows)] == [
        ("task_0_1", 0),
        ("task_0_1", 4),
        ("task_0_1", 10),
        ("task_0_2", 0),
        ("task_0_1", 10),
        ("task_0_2", 0),
    ]


@in_a_terminal
def test_a_hint_stays_until_there_is_a_new_card(lab: Lab, terminals: list[Terminal]) -> None:
    terminal = Terminal(lab.course, "watch", "0.1")
    terminals.append(terminal)
    terminal.expect("0 of 10 points, in")
    terminal.press("h")
    terminal.expect(r"Look\.")
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    meanwhile = terminal.expect("10 of 10 points, in")
    assert "is not started yet" not in meanwhile
    assert "All points." in meanwhile.rpartition("Look.")[2]
    terminal.press("q")
    assert terminal.status() == 0


@in_a_terminal
def test_a_syntax_error_is_a_line_beside_the_last_card(lab: Lab, terminals: list[Terminal]) -> None:
    terminal = Terminal(lab.course, "watch", "0.1")
    terminals.append(terminal)
    terminal.expect("0 of 10 points, in")
    terminal.expect("q quit")
    lab.exercise("task_0_1").write_text("print('hello'\n", encoding="utf-8")
    terminal.expect(r"main\.py, line 1: '\(' was never closed")
    screen = terminal.expect("q quit")
    assert "Traceback" not in screen
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    terminal.expect("10 of 10 points, in")
    terminal.press("q")
    assert terminal.status() == 0
    assert len(history(lab, 2)) == 2


@in_a_terminal
@pytest.mark.parametrize(("columns", "lines"), [(40, 12), (80, 24), (20, 8)])
def test_each_screen_fits_also_after_the_window_has_changed(
    columns: int, lines: int, lab: Lab, terminals: list[Terminal]
) -> None:
    terminal = Terminal(lab.course, "watch", "0.1", columns=columns, lines=lines)
    terminals.append(terminal)
    terminal.expect("points, in")
    terminal.expect("h hint")
    terminal.resize(columns + 13, lines + 5)
    terminal.expect(r"\x1b\[2J")
    terminal.expect("h hint")
    terminal.press("q")
    assert terminal.status() == 1
    drawn = screens(terminal.shown)
    assert len(drawn) >= 3
    assert max(len(screen) for screen in drawn) <= lines + 5
    assert max(len(row) for screen in drawn for row in screen) <= columns + 13
    assert max(len(row) for row in drawn[0]) <= columns
    assert max(len(screen) for screen in drawn[:2]) <= lines


@in_a_terminal
def test_it_goes_on_by_itself_if_asked_to(lab: Lab, terminals: list[Terminal]) -> None:
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    terminal = Terminal(lab.course, "watch", "0.1", "--advance")
    terminals.append(terminal)
    terminal.expect("0.1 has all points; this is 0.2.")
    lab.exercise("task_0_2").write_text(RIGHT, encoding="utf-8")
    terminal.expect("0.2 Toy task_0_2: 10 of 10 points")
    terminal.press("q")
    assert terminal.status() == 0


@in_a_terminal
def test_the_terminal_is_left_as_it_was(lab: Lab, terminals: list[Terminal]) -> None:
    terminal = Terminal(lab.course, "watch", "0.1")
    terminals.append(terminal)
    assert terminal._process.getecho()
    terminal.expect("0 of 10 points, in")
    assert not terminal._process.getecho()
    terminal.press("\x03")
    terminal.expect("\x1b\\[J")
    assert terminal.status() == 2


class Piped:
    """`lab watch` without a terminal."""

    def __init__(self, course: Path, *words: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "watch", *words],
            cwd=course,
            env=own_environment(PYTHONUNBUFFERED="1", **env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def until(self, words: str) -> list[str]:
        """Read until a line has these words; return the lines."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if words in line:
                return lines
        raise AssertionError(f"It ended without {words!r}: {lines}")

    def end(self) -> int:
        if ON_WINDOWS:
            self.process.kill()
        else:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=LIMIT)
        return self.process.returncode


@pytest.fixture
def piped() -> Iterator[list[Piped]]:
    opened: list[Piped] = []
    yield opened
    for each in opened:
        each.process.kill()
        each.process.communicate()


def test_without_a_terminal_it_prints_what_run_prints(lab: Lab, piped: list[Piped]) -> None:
    watch = Piped(lab.course, "0.1")
    piped.append(watch)
    untouched = "0.1 is not started yet: read checks/task_0_1/README.md, edit exercises/task_0_1."
    assert untouched in watch.until("0.1 at ")
    lab.exercise("task_0_1").write_text("def greet(name): ...\n", encoding="utf-8")
    assert "It greets.  (0 of 4 points)" in watch.until("0.1 at ")
    lab.exercise("task_0_1").write_text("(", encoding="utf-8")
    assert watch.until("main.py")[-1] == "Not graded yet: main.py, line 1: '(' was never closed"
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    assert ": 10 of 10 points, in " in watch.until("0.1 at ")[-1]
    assert watch.end() == 2 or ON_WINDOWS


def test_a_save_while_it_grades_grades_anew(lab: Lab, piped: list[Piped], tmp_path: Path) -> None:
    workspaces = tmp_path / "workspaces"
    workspaces.mkdir()
    endless = "open('begun', 'w').close()\nwhile True: pass\n"
    lab.exercise("task_0_1").write_text(endless, encoding="utf-8")
    watch = Piped(lab.course, "0.1", TMPDIR=str(workspaces))
    piped.append(watch)
    while not glob.glob(f"{workspaces}/**/begun", recursive=True):
        assert watch.process.poll() is None
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    lines = watch.until("0.1 at ")
    assert ": 10 of 10 points, in " in lines[-1]
    assert not any("0 of 4 points" in line for line in lines)
    assert len(history(lab, 1)) == 1


def test_changed_checks_are_read_anew(lab: Lab, piped: list[Piped]) -> None:
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    watch = Piped(lab.course, "0.1")
    piped.append(watch)
    watch.until("10 of 10 points, in")
    checks = lab.course / "checks" / "task_0_1" / "test_toy.py"
    text = checks.read_text(encoding="utf-8")
    checks.write_text(text.replace("seconds(2)", "seconds(9)"), encoding="utf-8")
    watch.until("4 of 10 points, in")
    checks.write_text(text.replace("@points(4", "@points(5"), encoding="utf-8")
    watch.until("add up to 11 points")
    checks.write_text(text, encoding="utf-8")
    watch.until("10 of 10 points, in")


def test_a_task_that_one_goes_to_is_graded_once(lab: Lab) -> None:
    """Its checks are others than those that were watched; they have not changed for that."""
    asked: list[Sequence[str]] = []

    class Asked(Grader):
        def __init__(self) -> None:
            pass

        def prepare(self, tasks: Sequence[str], *_: object) -> Grading:
            asked.append(tasks)
            raise LabError("asked")

        def reload(self) -> None:
            asked.append(["all checks"])

    place = find(lab.course)
    watch = Watch(place, place.syllabus.tasks[0], Asked(), advance=False)
    watch._go_to(place.syllabus.tasks[1])
    watch._begin_if_changed()
    assert asked == [["task_0_2"]]


def test_two_at_once_do_no_harm(lab: Lab, piped: list[Piped]) -> None:
    both = [Piped(lab.course, "0.1"), Piped(lab.course, "0.1")]
    piped.extend(both)
    for each in both:
        each.until("0 of 10 points, in")
    for program, points in ((HALF, 4), (RIGHT, 10), (HALF, 4)):
        lab.exercise("task_0_1").write_text(program, encoding="utf-8")
        for each in both:
            lines = each.until(f": {points} of 10 points, in")
            assert not any("not written" in line for line in lines)
    assert len(history(lab, 8)) == 8


def test_a_change_is_found_where_the_system_tells_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watch(*_: object, **__: object) -> Iterator[set[object]]:
        raise OSError("no room for one more watcher")

    monkeypatch.setitem(sys.modules, "watchfiles", type(sys)("watchfiles"))
    sys.modules["watchfiles"].watch = watch  # type: ignore[attr-defined]
    looked = threading.Event()
    changes = Changes([tmp_path], looked.set)
    try:
        assert looked.wait(30)
    finally:
        changes.close()


def test_a_look_sees_what_a_student_changes(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("1", encoding="utf-8")
    before = look([tmp_path, tmp_path / "missing"])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "main.pyc").touch()
    (tmp_path / ".main.py.swp").touch()
    assert look([tmp_path]) == before
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / ".env").touch()
    assert set(look([tmp_path])) - set(before) == {str(tmp_path / "inner" / ".env")}
