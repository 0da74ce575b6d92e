"""Programs laid out for tools that compare them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.export.similarity import LaidOut, Tool, lay_out
from ml_api_class.journal.records import Person, Submission
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course import stubs
from ml_api_lab.course.snapshot import File
from tests.support.toy import Course

TASK = "task_0_1"


@pytest.fixture
def root(course: Course, tmp_path: Path) -> Path:
    copy = shutil.copytree(course.root, tmp_path / "course")
    stubs.write(copy, TASK)
    return copy


def export(root: Path, tool: Tool, target: Path, *, with_reference: bool = False) -> LaidOut:
    stub = (root / "exercises" / TASK / "main.py").read_bytes()
    files = {
        "ada": TaskFiles({"main.py": File(b"print(1)\n"), "deep/a.py": File(b"a = 1\n")}),
        "=b/ob": TaskFiles({"main.py": File(b"print(2)\n"), "notes.txt": File(b"x")}),
        "cy": TaskFiles({"main.py": File(stub)}),
        "dee": TaskFiles({"notes.txt": File(b"x")}),
    }
    people = {"ada": Person("Lovelace, Ada", section="A", submitted="2026-06-01T09:00:00")}
    submissions = [
        Submission(id_, people.get(id_, Person()), {TASK: each.digest})
        for id_, each in files.items()
    ]
    packed = {each.digest: each.pack() for each in files.values()}
    return lay_out(
        tool, root, TASK, submissions, packed.__getitem__, target, with_reference=with_reference
    )


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_jplag_gets_a_folder_each_and_the_stub_as_base_code(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "to compare"
    done = export(root, "jplag", target)
    assert names(target) == [
        "base/stub/main.py",
        "submissions/_b_ob/main.py",
        "submissions/ada/deep/a.py",
        "submissions/ada/main.py",
    ]
    assert (done.number, done.untouched) == (2, 1)
    assert done.command == (
        f"java -jar jplag.jar -l python3 -bc '{target}/base' '{target}/submissions'"
    )


def test_dolos_gets_a_list_with_one_ignored_file(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "dolos"
    done = export(root, "dolos", target, with_reference=True)
    with (target / "info.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["filename"], row["full_name"], row["ignored"]) for row in rows] == [
        ("submissions/ada/deep/a.py", "Lovelace, Ada", ""),
        ("submissions/ada/main.py", "Lovelace, Ada", ""),
        ("submissions/_b_ob/main.py", "'=b/ob", ""),
        ("ignored.py", "", "true"),
    ]
    assert [(rows[0]["label"], rows[0]["created_at"])] == [("A", "2026-06-01T09:00:00")]
    for row in rows:
        assert (target / row["filename"]).is_file()
    ignored = (target / "ignored.py").read_text("utf-8")
    for tree in ("exercises", "solutions"):
        assert (root / tree / TASK / "main.py").read_text("utf-8") in ignored
    assert done.command == f"dolos run -l python {target}/info.csv"


def test_without_being_asked_the_solution_is_not_written(root: Path, tmp_path: Path) -> None:
    export(root, "dolos", tmp_path / "dolos")
    solution = (root / "solutions" / TASK / "main.py").read_text("utf-8")
    assert solution not in (tmp_path / "dolos" / "ignored.py").read_text("utf-8")


def test_a_folder_that_is_there_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ClassError, match="is there already"):
        export(root, "jplag", tmp_path / "there")
    assert names(tmp_path / "there") == []
