"""`lab hint`: one at a time, and never the answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import Graded, History
from ml_api_lab.progress.readme_hints import of_readme
from tests.proofs.prover import COURSE, Prover
from tests.support.lab import Lab


def failed(lab: Lab, hint: str = "What does print do?") -> None:
    row = Graded(
        at=1,
        task="task_0_1",
        points=0,
        maximum=10,
        seconds=1,
        seed=1,
        state="",
        failed="checks/task_0_1/test_toy.py::test_greets" if hint else "",
        hint=hint,
        program="lab",
    )
    History(lab_folder(lab.course)).add([row])


def test_hints_come_one_at_a_time_and_the_last_one_stays(lab: Lab) -> None:
    said = [lab("hint", "0.1").out for _ in range(3)]
    of = "of 2, in checks/task_0_1/README.md"
    assert said[0] == f"Look.\n\n(hint 1 {of}; for the next: lab hint 0.1)\n"
    assert said[1] == said[2] == f"Think.\n\n(hint 2 {of}; the last one)\n"


def test_the_hint_of_the_failed_check_comes_last(lab: Lab) -> None:
    failed(lab)
    said = [lab("hint", "0.1").out for _ in range(4)]
    readme = "in checks/task_0_1/README.md; for the next: lab hint 0.1"
    assert said[1] == f"Think.\n\n(hint 2 of 3, {readme})\n"
    assert said[2] == said[3]
    where = "(hint 3 of 3, of the first failed check, test_greets; the last one)"
    assert said[2] == f"What does print do?\n\n{where}\n"


def test_a_hint_can_be_asked_for_again(lab: Lab) -> None:
    lab("hint", "0.1")
    lab("hint", "0.1")
    assert lab("hint", "0.1", "--number", "1").out.startswith("Look.")
    few = lab("hint", "0.1", "--number", "9")
    assert (few.status, few.err) == (4, "Task 0.1 has fewer than 9 hints.\n")


def test_a_hint_that_is_asked_for_by_number_skips_none(lab: Lab) -> None:
    assert lab("hint", "0.1", "--number", "2").out.startswith("Think.")
    assert lab("hint", "0.1").out.startswith("Look.")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden here")
def test_without_a_memory_there_are_hints_all_the_same(lab: Lab) -> None:
    lab.course.chmod(0o500)
    try:
        assert lab("hint", "0.1").out.startswith("Look.")
        assert lab("hint", "0.1", "--number", "2").out.startswith("Think.")
    finally:
        lab.course.chmod(0o700)


def test_without_a_place_for_a_memory_there_are_hints_all_the_same(lab: Lab) -> None:
    lab_folder(lab.course).write_text("a file where a folder should be", encoding="utf-8")
    assert lab("hint", "0.1").out.startswith("Look.")


@pytest.mark.parametrize("task", Prover.tasks())
def test_each_task_has_hints(task: str) -> None:
    hints = of_readme(COURSE / "checks" / task / "README.md")
    assert len(hints) >= 2
    assert not any("<" in hint.splitlines()[0][:1] for hint in hints)


def test_without_a_readme_there_are_none(tmp_path: Path) -> None:
    assert of_readme(tmp_path / "README.md") == []
