"""The supervisor: everything graded once, and what cannot be graded is no 0 and stops nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ml_api_class.errors import WorkerEnded
from ml_api_class.grading.unit import Answer, Unit
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import State, Submission
from ml_api_class.planner import pending_of
from ml_api_class.supervisor import MAX_HARNESS_FAILURES, Supervisor, Totals
from ml_api_lab.errors import HarnessError
from tests.ml_api_class.toy_class import TASKS, InstantEngine, origin, put, verdict

ORIGINS = {task: origin(task) for task in TASKS}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path, can_create=True) as journal:
        for id_ in ("ada", "bob", "cy"):
            put(journal, id_, {"task_0_1": f"by {id_}", "task_0_2": "stub"})
        yield journal


def passes(unit: Unit) -> Answer:
    return Answer(tuple(verdict(task, 10) for task, _ in unit.tasks))


def run(
    journal: Journal,
    answer: Callable[[Unit], Answer] = passes,
    *,
    use_cache: bool = True,
    retry: bool = False,
) -> tuple[Totals, InstantEngine]:
    engine = InstantEngine(answer)
    supervisor = Supervisor(journal, engine, ORIGINS, use_cache=use_cache, retry=retry)
    return supervisor.run(), engine


def states(journal: Journal) -> dict[str, tuple[State, int]]:
    return {each.submission.id: (each.state, each.score) for each in journal.standings()}


def test_it_grades_each_different_task_once_and_then_nothing(journal: Journal) -> None:
    totals, engine = run(journal)
    assert (totals.number, totals.done, totals.earlier) == (3, 3, 0)
    assert Counter(task for unit in engine.units for task, _ in unit.tasks) == {
        "task_0_1": 3,
        "task_0_2": 1,
    }
    assert set(states(journal).values()) == {(State.GRADED, 20)}
    totals, engine = run(journal)
    assert (totals.done, totals.earlier, engine.units) == (3, 3, [])


def test_without_the_cache_each_is_graded_whole(journal: Journal) -> None:
    _, engine = run(journal, use_cache=False)
    assert [len(unit.tasks) for unit in engine.units] == [2, 2, 2]
    assert set(states(journal).values()) == {(State.GRADED, 20)}


def test_what_changed_is_graded_again(journal: Journal) -> None:
    run(journal)
    put(journal, "bob", {"task_0_1": "by bob, again", "task_0_2": "stub"})
    _, engine = run(journal, lambda unit: Answer((verdict("task_0_1", 4),)))
    assert [(unit.submission, [task for task, _ in unit.tasks]) for unit in engine.units] == [
        ("bob", ["task_0_1"])
    ]
    assert states(journal)["bob"] == (State.GRADED, 14)


def test_what_ends_a_worker_is_tried_once_more_alone_and_then_marked(journal: Journal) -> None:
    def ends(unit: Unit) -> Answer:
        if unit.submission == "ada":
            raise WorkerEnded("The worker that graded it ended by signal 9.")
        return passes(unit)

    totals, engine = run(journal, ends)
    assert totals.not_graded == 1
    assert [unit.submission for unit in engine.units].count("ada") == 2
    assert engine.units[-1].submission == "ada"
    assert states(journal) == {
        "ada": (State.NOT_GRADED, 0),
        "bob": (State.GRADED, 20),
        "cy": (State.GRADED, 20),
    }
    (standing,) = journal.standings(["ada"])
    assert standing.reason == "The worker that graded it ended by signal 9."
    assert run(journal, ends)[1].units == []
    run(journal, retry=True)
    assert states(journal)["ada"] == (State.GRADED, 20)


def test_a_failure_of_the_harness_is_retried_then_told_and_is_no_0(journal: Journal) -> None:
    failures: Counter[str] = Counter()

    def fails(unit: Unit) -> Answer:
        failures[unit.submission] += 1
        if unit.submission == "ada" or (unit.submission == "bob" and failures["bob"] == 1):
            return Answer(harness_problem="There is no room.")
        return passes(unit)

    run(journal, fails)
    assert failures["ada"] == MAX_HARNESS_FAILURES
    assert states(journal)["ada"] == (State.NOT_GRADED, 0)
    assert states(journal)["bob"] == (State.GRADED, 20)
    (standing,) = journal.standings(["ada"])
    assert standing.reason == "The harness failed 3 times: There is no room."
    run(journal)
    assert states(journal)["ada"] == (State.GRADED, 20)


def test_what_cannot_be_read_is_marked_without_work(journal: Journal) -> None:
    blank = journal.submissions()[0]
    journal.put_submission(
        Submission("dan", blank.person, {}, problem="lab.zip is damaged (no)."), {}, 3
    )
    totals, engine = run(journal)
    assert "dan" not in {unit.submission for unit in engine.units}
    assert (totals.number, totals.done) == (4, 4)
    (standing,) = journal.standings(["dan"])
    assert (standing.state, standing.reason) == (State.NOT_GRADED, "lab.zip is damaged (no).")


def test_an_end_in_between_loses_only_what_was_at_work(journal: Journal) -> None:
    def interrupted(unit: Unit) -> Answer:
        if unit.submission == "cy":
            raise HarnessError("No worker started.")
        return passes(unit)

    with pytest.raises(HarnessError):
        run(journal, interrupted)
    after = states(journal)
    assert after["cy"] == (State.WAITING, 0)
    graded = [id_ for id_, (state, _) in after.items() if state == State.GRADED]
    _, engine = run(journal)
    assert set(graded).isdisjoint(unit.submission for unit in engine.units)
    assert set(states(journal).values()) == {(State.GRADED, 20)}


def test_keys_hold_all_that_makes_a_verdict(journal: Journal) -> None:
    submission = journal.submissions()[0]
    keys = {pending_of(submission, ORIGINS).key}
    for change in (
        {"checks": "x"},
        {"harness": "x"},
        {"environment": "x"},
        {"tier": "none"},
        {"clock": "real"},
        {"budget": 5.0},
        {"seed": 2},
        {"memory": 9},
    ):
        origins = {**ORIGINS, "task_0_1": origin("task_0_1", **change)}
        keys.add(pending_of(submission, origins).key)
    assert len(keys) == 9
