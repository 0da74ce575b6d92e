"""What is proved of the checks: kept whole, and shown only for the very checks that were graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.page import proven
from ml_api_class.page.proven import Figures, ProvenTask
from tests.ml_api_class.toy_class import origin

FIGURES = {"test_one": Figures(3, 2.5, 1, 4, 7), "test_two": Figures(0, None, 0)}
TASKS = {"task_0_1": ProvenTask("c", FIGURES), "task_0_2": ProvenTask("c", FIGURES)}


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "proven.json"
    proven.write(path, TASKS)
    assert proven.read(path) == TASKS
    assert [each.name for each in tmp_path.iterdir()] == ["proven.json"]


def test_no_file_proves_nothing(tmp_path: Path) -> None:
    assert proven.read(tmp_path / "proven.json") == {}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"format": 2, "tasks": {}}', '{"format": 1, "tasks": {"task_0_1": {}}}'],
)
def test_another_file_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "proven.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ClassError, match="make it anew with lab author check --write"):
        proven.read(path)


def test_figures_of_the_checks_that_were_graded_are_shown() -> None:
    found = proven.current(TASKS, [origin("task_0_1"), origin("task_0_1", seed=2)])
    assert found.of("task_0_1", "test_one") == FIGURES["test_one"]
    assert found.of("task_0_1", "test_three") is None
    # Nobody was graded in the other task: that is nothing to speak of.
    assert found.note == ""
    assert found.of("task_0_2", "test_one") is None


@pytest.mark.parametrize(
    "others", [["other"], ["c", "other"]], ids=["other checks", "some with other checks"]
)
def test_figures_of_other_checks_are_left_out_and_that_is_told(others: list[str]) -> None:
    graded = [origin("task_0_1"), *(origin("task_0_2", checks=each) for each in others)]
    found = proven.current(TASKS, graded)
    assert found.of("task_0_2", "test_one") is None
    assert found.of("task_0_1", "test_one") is not None
    assert found.note.startswith("What is proved of the checks of 0.2 was measured with other ch")
