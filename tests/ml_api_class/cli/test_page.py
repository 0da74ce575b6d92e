"""`lab class page`: a run that was graded becomes one page."""

from __future__ import annotations

import base64
import shutil
import zlib
from pathlib import Path

import pytest

from ml_api_class.grading.unit import Answer
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Person, Submission
from ml_api_class.page import proven
from ml_api_class.page.proven import Figures, ProvenTask
from ml_api_class.supervisor import Supervisor
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course import stubs
from tests.ml_api_class.page.class_of_two import unpack
from tests.ml_api_class.toy_class import (
    TASKS,
    InstantEngine,
    ToyClass,
    origin,
    put,
    task_files,
    verdict,
)
from tests.support.html_pages import parse

ORIGINS = {task: origin(task) for task in TASKS}


def test_it_shows_the_run(
    toy_class: ToyClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_class.course = shutil.copytree(toy_class.course, tmp_path / "course")
    stubs.write(toy_class.course, "task_0_2")
    toy_class.out.mkdir()
    with Journal(toy_class.out, can_create=True) as journal:
        for id_ in ("ada", "bob"):
            put(journal, id_, dict.fromkeys(TASKS, id_))
        stub = (toy_class.course / "exercises" / "task_0_2" / "main.py").read_text("utf-8")
        put(journal, "cy", {"task_0_1": "cy", "task_0_2": stub})
        there, missing = task_files("dan"), TaskFiles(is_missing=True)
        digests = dict(zip(TASKS, (there.digest, missing.digest), strict=True))
        files = {each.digest: each for each in (there, missing)}
        journal.put_submission(Submission("dan", Person("dan"), digests), files, 4)
        engine = InstantEngine(
            lambda unit: Answer(
                tuple(verdict(task, 10 if task == "task_0_1" else 0) for task in TASKS)
            )
        )
        Supervisor(journal, engine, ORIGINS).run()
    done = toy_class.command(monkeypatch.chdir, "page", str(toy_class.out))
    assert done.exception is None, done.output
    path = toy_class.out / "class.html"
    assert str(path) in done.output
    data = parse(path.read_text("utf-8")).all("script")[0].text
    table, _ = unpack(zlib.decompress(base64.b64decode(data)).decode())
    assert table["students"]["score"] == [10, 10, 10, 10]
    assert [table["verdicts"][row[1]][2] for row in table["grades"]] == [0, 0, 1, 1]
    assert [each[5] for each in table["groups"]] == [[0, 1]]
    assert {each["cost"] for each in table["items"]} == {None}
    # The course's own file is read by itself, another one if it is named.
    for name, cost, words in (
        ("checks/proven.json", 2.5, []),
        ("other.json", 1.25, ["--proven", "other.json"]),
    ):
        figures = {"test_one": Figures(2, cost, 1)}
        proven.write(toy_class.course / name, {"task_0_1": ProvenTask("c", figures)})
        done = toy_class.command(monkeypatch.chdir, "page", str(toy_class.out), *words)
        assert done.exception is None, done.output
        data = parse(path.read_text("utf-8")).all("script")[0].text
        table, _ = unpack(zlib.decompress(base64.b64decode(data)).decode())
        assert [each["cost"] for each in table["items"]] == [cost, None]
