"""What was handed out: the digests are those of `exercises`, and a change is seen.

``pytest tests/course/test_stubs.py --update-cards`` writes the digests anew.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from ml_api_lab.course import stubs
from tests.proofs.prover import COURSE

FILE = COURSE / "checks" / "stubs.toml"
HEADER = """\
# A digest of each folder of exercises.
# `pytest tests/course/test_stubs.py --update-cards` writes it anew.
"""
TASKS = sorted((COURSE / "exercises").glob("task_*"))


def test_the_digests_are_those_of_the_exercises(pytestconfig: pytest.Config) -> None:
    found = {task.name: stubs.digest(task) for task in TASKS}
    if pytestconfig.getoption("--update-cards"):
        rows = [f'{name} = "{digest}"\n' for name, digest in found.items()]
        FILE.write_text(HEADER + "".join(rows), encoding="utf-8")
    assert tomllib.loads(FILE.read_text(encoding="utf-8")) == found
    assert len(set(found.values())) == len(TASKS) == 20


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_each_names_the_files_with_work_in_them(task: Path) -> None:
    names = stubs.placeholders(task)
    assert names
    for name in names:
        solved = COURSE / "solutions" / task.name / name
        assert solved.read_bytes() != (task / name).read_bytes()


def test_a_change_is_seen_and_line_ends_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "task_0_1"
    shutil.copytree(COURSE / "exercises" / "task_0_1", folder)
    main = folder / "main.py"
    (folder / "__pycache__").mkdir()
    assert stubs.is_untouched(COURSE, "task_0_1", folder)
    main.write_bytes(main.read_bytes().replace(b"\n", b"\r\n"))
    assert stubs.is_untouched(COURSE, "task_0_1", folder)
    assert not stubs.is_untouched(COURSE, "task_0_2", folder)
    assert not stubs.is_untouched(tmp_path, "task_0_1", folder)
    (folder / "more.py").write_text("")
    assert not stubs.is_untouched(COURSE, "task_0_1", folder)
    (folder / "more.py").unlink()
    main.write_text("pass\n")
    assert not stubs.is_untouched(COURSE, "task_0_1", folder)


def test_what_cannot_be_a_stub_has_no_digest(tmp_path: Path) -> None:
    assert stubs.digest(tmp_path / "nowhere") == ""
    (tmp_path / "big").write_bytes(b"x" * (2**20 + 1))
    assert stubs.digest(tmp_path) == ""
