"""What was handed out: the kept stubs are what `exercises` holds, and a change is seen.

``pytest tests/course/test_stubs.py --update-stubs`` writes the stubs anew.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ml_api_lab.course import stubs
from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.errors import CourseError
from tests.proofs.prover import COURSE, LEFT_OUT, Prover


@pytest.mark.parametrize("task", Prover.tasks())
def test_the_kept_stub_is_what_is_handed_out(
    task: str, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    if pytestconfig.getoption("--update-stubs"):
        stubs.write(COURSE, task)
    folder = shutil.copytree(COURSE / "exercises" / task, tmp_path / task, ignore=LEFT_OUT)
    differing = stubs.read(COURSE, task).differing(Snapshot.read(folder))
    assert differing == [], (
        f"checks/{task}/stub.json has another {', '.join(differing)} than exercises/{task}; run "
        f"pytest tests/course/test_stubs.py -k {task} --update-stubs"
    )


@pytest.mark.parametrize("task", Prover.tasks())
def test_each_names_the_files_with_work_in_them(task: str) -> None:
    names = stubs.files_to_edit(COURSE, task)
    assert 1 <= len(names) <= 4
    for name in names:
        solved = COURSE / "solutions" / task / name
        assert solved.read_bytes() != (COURSE / "exercises" / task / name).read_bytes()


def test_a_change_is_seen_and_line_ends_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "task_0_1"
    shutil.copytree(COURSE / "exercises" / "task_0_1", folder, ignore=LEFT_OUT)
    main = folder / "main.py"
    (folder / "__pycache__").mkdir()
    (folder / "model.pkl").write_bytes(b"left by a run")
    assert stubs.is_untouched(COURSE, "task_0_1", folder)
    main.write_bytes(main.read_bytes().replace(b"\n", b"\r\n"))
    assert stubs.is_untouched(COURSE, "task_0_1", folder)
    assert not stubs.is_untouched(COURSE, "task_0_2", folder)
    assert not stubs.is_untouched(tmp_path, "task_0_1", folder)
    (folder / "more.py").write_text("")
    assert not stubs.is_untouched(COURSE, "task_0_1", folder)
    (folder / "more.py").write_bytes(b"x" * (2**20 + 1))
    assert not stubs.is_untouched(COURSE, "task_0_1", folder)
    (folder / "more.py").unlink()
    main.write_text("pass\n")
    assert not stubs.is_untouched(COURSE, "task_0_1", folder)


def test_a_stub_that_is_not_there_or_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"task_0_1/stub\.json cannot be read"):
        stubs.read(tmp_path, "task_0_1")
    assert stubs.files_to_edit(tmp_path, "task_0_1") == []
    path = stubs.path_of(tmp_path, "task_0_1")
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(CourseError, match=r"stub\.json: A kept state is damaged"):
        stubs.read(tmp_path, "task_0_1")
