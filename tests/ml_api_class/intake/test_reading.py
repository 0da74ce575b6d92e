"""What one student handed in: where the tasks are, however they are wrapped."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from ml_api_class.errors import UnreadableSource
from ml_api_class.intake import reading
from ml_api_class.intake.reading import Contents

TASKS = ["task_0_1", "task_0_2", "task_3_2"]


def tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return root


def pack(source: Path, archive: Path) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(source.rglob("*")):
            opened.write(path, path.relative_to(source))
    return archive


def read(*sources: Path, wanted: list[str] | None = None) -> Contents:
    scratch = sources[0].parent / "scratch"
    scratch.mkdir(exist_ok=True)
    contents = reading.read(sources, TASKS, wanted or TASKS, scratch)
    assert list(scratch.iterdir()) == []
    return contents


def texts(contents: Contents) -> dict[str, list[str]]:
    return {
        task: sorted(file.data.decode() for file in files.files.values())
        for task, files in contents.tasks.items()
        if not files.is_missing
    }


def test_a_folder_of_tasks(tmp_path: Path) -> None:
    contents = read(tree(tmp_path / "ada", "task_0_1/main.py", "task-3-2/main.py"))
    assert texts(contents) == {"task_0_1": ["task_0_1/main.py"]}
    assert contents.tasks["task_3_2"].beside == ("task-3-2",)
    assert contents.found == ["task_0_1"]


def test_a_whole_repository_gives_its_exercises_alone(tmp_path: Path) -> None:
    names = [f"{each}/task_0_1/main.py" for each in ("exercises", "solutions", "checks", "tests")]
    assert texts(read(tree(tmp_path / "ada" / "lab", *names).parent)) == {
        "task_0_1": ["exercises/task_0_1/main.py"]
    }
    without = tree(tmp_path / "bob", "checks/task_0_1/test.py", "solutions/task_0_1/main.py")
    assert texts(read(without)) == {}


def test_archives_in_folders_and_in_archives(tmp_path: Path) -> None:
    inner = pack(tree(tmp_path / "a", "task_0_1/main.py"), tmp_path / "b" / "inner.zip").parent
    outer = pack(inner, tmp_path / "c" / "outer.zip")
    assert texts(read(outer)) == {"task_0_1": ["task_0_1/main.py"]}
    assert texts(read(outer.parent)) == {"task_0_1": ["task_0_1/main.py"]}
    deep = pack(pack(outer.parent, tmp_path / "d" / "x.zip").parent, tmp_path / "e" / "y.zip")
    assert texts(read(deep)) == {}


def test_an_archive_for_each_task_with_and_without_its_folder(tmp_path: Path) -> None:
    one = pack(tree(tmp_path / "a", "main.py"), tmp_path / "ada" / "task_0_1.zip")
    pack(tree(tmp_path / "b", "task_0_2/main.py"), tmp_path / "ada" / "task_0_2.zip")
    assert texts(read(one.parent)) == {"task_0_1": ["main.py"], "task_0_2": ["task_0_2/main.py"]}
    assert texts(read(*sorted(one.parent.iterdir()))) == texts(read(one.parent))


def test_loose_files_are_the_one_task_that_is_graded(tmp_path: Path) -> None:
    loose = tree(tmp_path / "ada", "lab/main.py", "lab/helpers.py")
    assert texts(read(loose)) == {}
    assert texts(read(loose, wanted=["task_3_2"])) == {
        "task_3_2": ["lab/helpers.py", "lab/main.py"]
    }


def test_a_task_that_is_there_twice_is_not_chosen_by_chance(tmp_path: Path) -> None:
    twice = tree(tmp_path / "ada", "new/task_0_1/main.py", "old/task_0_1/main.py")
    with pytest.raises(UnreadableSource, match="It holds task_0_1 more than once"):
        read(twice)
    parts = tree(tmp_path / "bob", "one/task_0_1/main.py", "two/task_0_2/main.py")
    assert sorted(texts(read(parts))) == ["task_0_1", "task_0_2"]


def test_what_is_not_there_or_is_a_link(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="is not there"):
        read(tmp_path / "nowhere")
    if os.name == "posix":
        (tmp_path / "link").symlink_to(tmp_path)
        with pytest.raises(UnreadableSource, match="link is a link, which is not followed"):
            read(tmp_path / "link")


def test_the_fingerprint_changes_with_the_files_alone(tmp_path: Path) -> None:
    root = tree(tmp_path / "ada", "task_0_1/main.py", "task_0_1/__pycache__/x.pyc")
    first = reading.fingerprint([root])
    assert reading.fingerprint([root]) == first
    (root / "task_0_1" / "__pycache__" / "x.pyc").write_text("other")
    assert reading.fingerprint([root]) == first
    time.sleep(0.01)  # file systems count in ticks
    (root / "task_0_1" / "main.py").write_text("task_0_1/main.pY")
    assert reading.fingerprint([root]) != first
