"""The journal: grades are there whole or not at all, and writing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import KeptVerdict, Person, State
from ml_api_class.verdict import TaskVerdict
from tests.ml_api_class.toy_class import origin, put, task_files, verdict


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path, can_create=True) as journal:
        yield journal


def kept(key: str, given: TaskVerdict) -> KeptVerdict:
    return KeptVerdict(
        key=key,
        files="f",
        origin=origin(given.task),
        is_shared=not given.is_doubtful,
        verdict=given,
    )


def test_a_folder_without_a_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ClassError, match=r"is no run: it has no journal\.sqlite"):
        Journal(tmp_path)
    assert not (tmp_path / "journal.sqlite").exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("x" * 5000)
    with pytest.raises(ClassError, match="cannot be opened"):
        Journal(tmp_path)


def test_submissions_come_back_as_they_were(journal: Journal) -> None:
    person = Person("Zoë", "z@x.org", "A", ("z", "y"), True, "Zoe_1", "2026-11-30", True)
    put(journal, "z", {"task_0_1": "x"}, person)
    (submission,) = journal.submissions()
    assert submission.person == person
    assert journal.packed(submission.files["task_0_1"]) == task_files("x").pack()
    put(journal, "z", {"task_0_1": "y"})
    assert [each.files for each in journal.submissions()] == [{"task_0_1": task_files("y").digest}]
    assert journal.keep_only([]) == ["z"]
    assert journal.submissions() == []


def test_a_grade_is_whole_and_replaces_the_one_before(journal: Journal) -> None:
    put(journal, "ada", {"task_0_1": "x", "task_0_2": "y"})
    numbers = journal.put_verdicts(
        [kept("k1", verdict("task_0_1", 10)), kept("k2", verdict("task_0_2", 4))]
    )
    journal.put_failure("ada", "old", "It took more than 900 s.", can_retry=False)
    (standing,) = journal.standings()
    assert (standing.state, standing.reason, standing.verdicts) == (
        State.NOT_GRADED,
        "It took more than 900 s.",
        (),
    )
    for _ in range(2):
        journal.put_grade("ada", "key", dict(zip(("task_0_1", "task_0_2"), numbers, strict=True)))
    (standing,) = journal.standings()
    assert (standing.state, standing.score, standing.maximum) == (State.GRADED, 14, 20)
    (summed,) = journal.standings(in_sum=True)
    assert (summed.score, summed.maximum) == (14, 20)
    assert [(each.task, each.score, len(each.checks)) for each in summed.verdicts] == [
        ("task_0_1", 10, 1),
        ("task_0_2", 4, 1),
    ]
    assert journal.done() == {"ada": "key"}
    journal.forget_grades(["ada"])
    (standing,) = journal.standings()
    assert (standing.state, standing.verdicts) == (State.WAITING, ())


def test_a_grade_that_fails_in_the_middle_leaves_the_one_before(journal: Journal) -> None:
    put(journal, "ada", {"task_0_1": "x"})
    (number,) = journal.put_verdicts([kept("k", verdict("task_0_1", 10))])
    journal.put_grade("ada", "one", {"task_0_1": number})
    with pytest.raises(Exception, match="FOREIGN KEY"):
        journal.put_grade("ada", "two", {"task_0_1": 4711})
    (standing,) = journal.standings()
    assert (journal.done(), standing.score) == ({"ada": "one"}, 10)


def test_a_shared_verdict_is_there_once_and_a_doubtful_one_for_each(journal: Journal) -> None:
    shared, doubtful = verdict("task_0_1", 10), verdict("task_0_2", 0, doubtful=True)
    first = journal.put_verdicts([kept("k1", shared), kept("k2", doubtful)])
    again = journal.put_verdicts([kept("k1", shared), kept("k2", doubtful)])
    assert first[0] == again[0]
    assert first[1] != again[1]
    assert journal.shared_keys() == {"k1": first[0]}


def test_what_counts_for_one_alone_is_known_by_its_key(journal: Journal) -> None:
    put(journal, "ada", {"task_0_2": "x"})
    (number,) = journal.put_verdicts([kept("k", verdict("task_0_2", 0, doubtful=True))])
    assert journal.own_verdicts() == {}
    journal.put_grade("ada", "key", {"task_0_2": number})
    assert journal.own_verdicts() == {"ada": {"k": number}}


def test_what_could_not_be_graded_is_tried_again_if_that_may_help(journal: Journal) -> None:
    for id_, can_retry in (("ada", True), ("bob", False)):
        put(journal, id_, {"task_0_1": "x"})
        journal.put_failure(id_, "key", "No.", can_retry=can_retry)
    assert journal.done() == {"bob": "key"}
    assert journal.done(retry=True) == {}


def test_attempts_tell_what_runs_and_what_was_lost(journal: Journal) -> None:
    put(journal, "ada", {"task_0_1": "x"})
    number = journal.begin_attempt("ada", ["task_0_1"])
    assert [each.state for each in journal.standings()] == [State.RUNNING]
    journal.end_attempt(number, "graded")
    journal.begin_attempt("ada", ["task_0_1"])
    assert journal.end_lost_attempts() == 1
    assert [each.state for each in journal.standings()] == [State.WAITING]


def test_a_copy_holds_all_and_another_journal_takes_one_submission(
    journal: Journal, tmp_path: Path
) -> None:
    put(journal, "ada", {"task_0_1": "x"})
    put(journal, "bob", {"task_0_1": "y"})
    (number,) = journal.put_verdicts([kept("k", verdict("task_0_1", 4))])
    journal.put_grade("ada", "key", {"task_0_1": number})
    for name in ("copy", "other"):
        (tmp_path / name).mkdir()
    journal.copy_to(tmp_path / "copy")
    with Journal(tmp_path / "copy") as copy:
        assert list(copy.standings()) == list(journal.standings())
        assert copy.grades_digest() == journal.grades_digest()
    with Journal(tmp_path / "other", can_create=True) as other:
        other.take(journal, journal.submissions()[0], 0)
        assert list(other.standings()) == list(journal.standings(["ada"]))
        assert other.origins() == [origin("task_0_1")]
