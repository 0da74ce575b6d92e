"""`lab reset`, `lab undo`, `lab history` and `lab diff`: what is kept, and how to look at it."""

from __future__ import annotations

import re

import pytest

from ml_api_lab.cli.commands import diff
from ml_api_lab.cli.text import cells
from ml_api_lab.course import stubs
from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.snapshots import short
from tests.support.lab import Lab
from tests.support.toy_tasks import RIGHT, WRONG

MINE = 'print("mine")\n'


@pytest.fixture(autouse=True)
def _edited(lab: Lab) -> None:
    lab.exercise("task_0_1").write_text(MINE, encoding="utf-8")


def test_a_reset_and_an_undo(lab: Lab) -> None:
    said = lab("reset", "0.1")
    assert said.lines[0] == "0.1 has the files of the stub now. Changed: main.py."
    assert re.fullmatch(
        r"Your files are kept as [0-9a-f]{8}; lab undo brings them back\.", said.lines[1]
    )
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == WRONG
    assert lab("undo").out == "0.1 is as it was before lab reset.\n"
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == MINE
    assert lab("undo").out == "There is no reset to undo.\n"


def test_several_tasks_are_reset_at_once(lab: Lab) -> None:
    lab.exercise("task_0_2").write_text(MINE, encoding="utf-8")
    said = lab("reset", "0.1", "0_2", "0.1")
    assert [line.split(" has ")[0] for line in said.lines[::2]] == ["0.1", "0.2"]
    for task in ("task_0_1", "task_0_2"):
        assert lab.exercise(task).read_text(encoding="utf-8") == WRONG
    # Taken back one at a time, the last one first.
    assert lab("undo").out == "0.2 is as it was before lab reset.\n"
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == WRONG
    assert lab("undo").out == "0.1 is as it was before lab reset.\n"
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == MINE
    assert lab("reset", "0.1", "9.9").status == 4
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == MINE
    assert lab("reset", "0.1", "0.2", "--to", "12345678").status == 4


def test_what_was_written_after_a_reset_is_kept_by_an_undo(lab: Lab) -> None:
    lab("reset", "0.1")
    lab.exercise("task_0_1").write_text("later", encoding="utf-8")
    said = lab("undo", "0.1")
    (kept,) = re.findall(r"is kept as ([0-9a-f]{8});", said.out)
    lab("reset", "0.1", "--to", kept)
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == "later"


def test_the_history_lists_what_was_replaced(lab: Lab) -> None:
    assert lab("history").out == "Nothing was graded yet.\n"
    lab("reset", "0.1")
    lab("undo")
    lines = lab("history", "0.1").lines
    assert [line.split()[3] for line in lines] == ["reset", "undo"]
    # The undo brought back what the reset had replaced, in place of the stub.
    stub = short(stubs.read(lab.course, "task_0_1").id)
    assert lines[1].split()[4:] == [lines[0].split()[4], "in", "place", "of", stub]
    assert lab("history", "0.2").out == "Nothing was graded yet.\n"
    state = lines[0].split()[-1]
    assert lab("history", "0.1", "--show", state).out == f"--- main.py\n{MINE}\n"
    assert lab("history", "--show", state).status == 4


def test_what_cannot_be_kept_is_not_replaced(lab: Lab) -> None:
    lab_folder(lab.course).write_text("a file where a folder should be", encoding="utf-8")
    said = lab("reset", "0.1")
    assert (said.status, said.out) == (4, "")
    assert "so nothing was changed" in said.err
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == MINE


def test_a_task_without_a_stub_is_not_reset(lab: Lab) -> None:
    (lab.course / "checks" / "task_0_1" / "stub.json").unlink()
    said = lab("reset", "0.1")
    assert said.status == 4
    assert "checks/task_0_1/stub.json cannot be read" in said.err
    assert lab.exercise("task_0_1").read_text(encoding="utf-8") == MINE


def test_a_diff_is_with_the_stub_first(lab: Lab) -> None:
    said = lab("diff", "0.1")
    assert said.lines[:2] == ["--- main.py (stub)", "+++ main.py (yours)"]
    assert said.lines[-2:] == ['-print("bye")', '+print("mine")']


def test_the_reference_is_shown_when_it_is_solved_or_asked_for(lab: Lab) -> None:
    said = lab("diff", "0.1", "--reveal")
    assert said.lines[1] == "+++ main.py (reference)"
    assert said.err == "This shows the answer of 0.1, which has not all points yet.\n"
    solution = lab.course / "solutions" / "task_0_1" / "main.py"
    lab.exercise("task_0_1").write_text(solution.read_text(encoding="utf-8"), encoding="utf-8")
    assert lab("run", "0.1").status == 0
    said = lab("diff", "0.1")
    assert (said.out, said.err) == ("No difference: yours and reference are the same.\n", "")


@pytest.mark.parametrize("is_graded_again", [False, True])
def test_a_reset_hides_the_reference_again(is_graded_again: bool, lab: Lab) -> None:
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    assert lab("run", "0.1").status == 0
    lab("reset", "0.1")
    assert lab("diff", "0.1").out == "No difference: stub and yours are the same.\n"
    lab.exercise("task_0_1").write_text(MINE, encoding="utf-8")
    if is_graded_again:
        assert lab("run", "0.1").status == 1
        assert lab("diff", "0.1").lines[0] == "--- main.py (stub)"
    lab("undo", "0.1")
    assert lab("run", "0.1").status == 0
    assert lab("diff", "0.1").out == "No difference: yours and reference are the same.\n"


def test_a_diff_with_a_graded_state(lab: Lab) -> None:
    lab("run", "0.1")
    state = lab("history", "0.1").lines[-1].split()[-1]
    assert lab("diff", "0.1", "--state", state).out.startswith("No difference")
    lab.exercise("task_0_1").write_text("later\n", encoding="utf-8")
    assert lab("diff", "0.1", "--state", state).lines[-1] == "+later"


def test_other_right_ways_come_from_the_corpus(lab: Lab) -> None:
    corpus = lab.course / "tests" / "proofs" / "corpus" / "task_0_1.toml"
    corpus.parent.mkdir(parents=True)
    corpus.write_text(
        '[[variant]]\nname = "waits longer"\n'
        '[[variant.edit]]\nfile = "main.py"\nold = "sleep(2)"\nnew = "sleep(3)"\n',
        encoding="utf-8",
    )
    assert lab("diff", "0.1", "--reveal").lines[-1] == (
        "Another right way (lab diff 0.1 --reveal --way 1): waits longer"
    )
    lab.exercise("task_0_1").write_text(RIGHT, encoding="utf-8")
    assert lab("run", "0.1").status == 0
    solved = lab("diff", "0.1")
    assert solved.lines[-1] == "Another right way (lab diff 0.1 --way 1): waits longer"
    assert lab("diff", "0.1", "--stub").lines[0] == "--- main.py (stub)"
    lab.exercise("task_0_1").write_text(MINE, encoding="utf-8")
    assert lab("run", "0.1").status == 1
    assert lab("diff", "0.1", "--way", "1").status == 4
    said = lab("diff", "0.1", "--reveal", "--way", "1")
    assert said.lines[1] == "+++ main.py (waits longer)"
    assert said.lines[-1] == "+time.sleep(3)"
    assert "no way 2" in lab("diff", "0.1", "--reveal", "--way", "2").err


def test_side_by_side_each_row_fits() -> None:
    left = ["a", "b" * 90, "c", *"xyz" * 10]
    right = ["a", "B", "c", *"xyz" * 10, "\u4f60\u597d" * 40]
    rows = list(diff.side_by_side("main.py", "yours", left, "reference", right, 121))
    assert max(map(cells, rows)) <= 121
    assert rows[0] == f"{'main.py (yours)':<59} | main.py (reference)"
    assert f"{'a':<59} | a" in rows
    assert f"{'b' * 59} * B" in rows
    assert f"{'...':<59} | ..." in rows


def test_a_state_that_is_not_text_is_shown_all_the_same(lab: Lab) -> None:
    lab.exercise("task_0_1").write_bytes(b"\xff\n")
    assert lab("diff", "0.1").lines[-1] == "+\\xff"
    assert Snapshot.read(lab.exercise("task_0_1").parent).names == ["main.py"]
