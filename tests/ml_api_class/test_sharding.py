"""Shards: every submission is in exactly one, and only what belongs together is merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_class import sharding
from ml_api_class.errors import ClassError
from ml_api_class.grading.unit import Answer
from ml_api_class.journal.journal import Journal
from ml_api_class.sharding import Shard
from ml_api_class.supervisor import Supervisor
from tests.ml_api_class.toy_class import TASKS, InstantEngine, origin, put, verdict

IDS = [f"s{number}" for number in range(12)]


def graded(folder: Path, shard: Shard, seed: str = "1", **change: object) -> Path:
    """Grade a shard of the class into a folder."""
    folder.mkdir()
    with Journal(folder, can_create=True) as journal:
        journal.set("seed", seed)
        journal.set("tasks", ",".join(TASKS))
        journal.set("shard", str(shard))
        for id_ in filter(shard.holds, IDS):
            put(journal, id_, {"task_0_1": f"by {id_}", "task_0_2": "stub"})
        engine = InstantEngine(
            lambda unit: Answer(tuple(verdict(task, 10) for task, _ in unit.tasks))
        )
        Supervisor(journal, engine, {task: origin(task, **change) for task in TASKS}).run()
    return folder


def test_each_is_in_one_shard() -> None:
    shards = [Shard(index, 3) for index in (1, 2, 3)]
    assert [sum(each.holds(id_) for each in shards) for id_ in IDS] == [1] * len(IDS)
    assert all(any(map(each.holds, IDS)) for each in shards)
    assert str(sharding.parse(" 2/8 ")) == "2/8"


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "a/b", "1/3/5"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(ClassError, match="is no shard; --shard 2/8 is the second of eight"):
        sharding.parse(text)


def test_shards_are_merged_to_what_one_machine_would_have_graded(tmp_path: Path) -> None:
    parts = [graded(tmp_path / str(index), Shard(index, 3)) for index in (1, 2, 3)]
    whole = graded(tmp_path / "whole", Shard(1, 1))
    (tmp_path / "out").mkdir()
    with Journal(tmp_path / "out", can_create=True) as out, Journal(whole) as one:
        assert sharding.merge(parts, out) == len(IDS)
        assert out.grades_digest() == one.grades_digest()
        merged = {each.submission.id: each for each in out.standings()}
        assert merged == {each.submission.id: each for each in one.standings()}
        assert (out.setting("seed"), out.setting("shard")) == ("1", None)


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    one, two = (graded(tmp_path / str(index), Shard(index, 2)) for index in (1, 2))
    other_seed = graded(tmp_path / "seed", Shard(2, 2), seed="2")
    other_checks = graded(tmp_path / "checks", Shard(2, 2), checks="x")
    for runs, says in (
        ([one], "The shard 2/2 is missing"),
        ([one, other_seed], "were graded with another seed"),
        ([one, other_checks], "task_0_1 was graded with different checks"),
        ([one, two, two], "merge runs of different shards"),
    ):
        folder = tmp_path / f"out{says[:12]}"
        folder.mkdir()
        with Journal(folder, can_create=True) as out, pytest.raises(ClassError, match=says):
            sharding.merge(runs, out)
