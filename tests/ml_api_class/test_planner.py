"""The plan: each different piece of work once, and nobody has another's doubtful verdict."""

from __future__ import annotations

from ml_api_class.journal.records import Person, Submission
from ml_api_class.planner import Plan, Work
from tests.ml_api_class.toy_class import TASKS, origin

ORIGINS = {task: origin(task) for task in TASKS}


def submission(id_: str, one: str, two: str) -> Submission:
    return Submission(id_, Person(), {"task_0_1": one, "task_0_2": two})


def test_what_two_handed_in_alike_is_graded_once() -> None:
    plan = Plan([submission("ada", "x", "stub"), submission("bob", "y", "stub")], ORIGINS, {})
    ada, bob = plan.next_work(), plan.next_work()
    assert ada is not None
    assert bob is not None
    assert (ada.tasks, bob.tasks) == (TASKS, ("task_0_1",))
    assert plan.next_work() is None
    plan.complete(bob, {"task_0_1": 3}, {})
    assert plan.next_work() is None
    assert plan.finished() == []
    plan.complete(ada, {"task_0_1": 1, "task_0_2": 2}, {})
    assert plan.next_work() is None
    assert {each.submission.id: numbers for each, numbers in plan.finished()} == {
        "ada": {"task_0_1": 1, "task_0_2": 2},
        "bob": {"task_0_1": 3, "task_0_2": 2},
    }
    assert plan.finished() == []


def test_a_doubtful_verdict_is_for_its_submission_alone() -> None:
    plan = Plan([submission("ada", "x", "x"), submission("bob", "x", "x")], ORIGINS, {})
    ada = plan.next_work()
    assert ada is not None
    assert plan.next_work() is None
    plan.complete(ada, {"task_0_1": 1}, {"task_0_2": 2})
    bob = plan.next_work()
    assert bob == Work(bob.pending, ("task_0_2",)) if bob else False
    assert bob is not None
    plan.complete(bob, {}, {"task_0_2": 3})
    plan.next_work()
    assert {each.submission.id: numbers for each, numbers in plan.finished()} == {
        "ada": {"task_0_1": 1, "task_0_2": 2},
        "bob": {"task_0_1": 1, "task_0_2": 3},
    }


def test_what_was_doubtful_once_is_waited_for_by_nobody() -> None:
    names = ("ada", "bob", "cy", "dan")
    plan = Plan([submission(name, f"by {name}", "stub") for name in names], ORIGINS, {})
    ada = plan.next_work()
    assert ada is not None
    plan.complete(ada, {"task_0_1": 1}, {"task_0_2": 2})
    works = [plan.next_work(), plan.next_work(), plan.next_work()]
    assert [each.tasks for each in works if each is not None] == [TASKS, TASKS, TASKS]


def test_who_waits_for_one_that_is_given_up_is_graded() -> None:
    plan = Plan([submission("ada", "x", "x"), submission("bob", "x", "x")], ORIGINS, {})
    ada = plan.next_work()
    assert ada is not None
    assert plan.next_work() is None
    plan.again(ada)
    bob = plan.next_work()
    assert bob is not None
    assert (bob.pending.submission.id, bob.tasks) == ("bob", TASKS)
    plan.complete(bob, {"task_0_1": 1, "task_0_2": 2}, {})
    plan.next_work()
    suspect = plan.next_alone()
    assert suspect is not None
    assert suspect.tasks == ()
    assert plan.next_alone() is None


def test_what_is_known_needs_no_work() -> None:
    plan = Plan([submission("ada", "x", "y")], ORIGINS, {ORIGINS["task_0_1"].key("x"): 7})
    work = plan.next_work()
    assert work is not None
    assert work.tasks == ("task_0_2",)
    own = {"ada": {ORIGINS["task_0_2"].key("y"): 9}}
    plan = Plan([submission("ada", "x", "y")], ORIGINS, {ORIGINS["task_0_1"].key("x"): 7}, own)
    assert plan.next_work() is None
    assert [numbers for _, numbers in plan.finished()] == [{"task_0_1": 7, "task_0_2": 9}]


def test_without_sharing_each_is_graded_whole() -> None:
    both = [submission("ada", "x", "x"), submission("bob", "x", "x")]
    plan = Plan(both, ORIGINS, {}, shares=False)
    works = [plan.next_work(), plan.next_work()]
    assert [each.tasks for each in works if each is not None] == [TASKS, TASKS]
