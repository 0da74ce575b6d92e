"""Regrading: a set beside the run that shows who would go up or down, taken or left as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ml_api_class.errors import ClassError
from ml_api_class.gradebook import FILE as GRADES
from ml_api_class.journal import lock
from ml_api_class.journal.journal import FILE as JOURNAL
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Standing, State
from ml_api_class.verdict import CheckVerdict

CHANGES = "changes.md"
BEFORE = "journal.before.sqlite"
_OF, _BASE, _APPLIED = "regrade_of", "regrade_base", "applied"


@dataclass(frozen=True)
class CheckChange:
    """A check that came out otherwise; None where there was or is no such check."""

    before: CheckVerdict | None
    now: CheckVerdict | None

    @property
    def id(self) -> str:
        check = self.now or self.before
        assert check is not None
        return check.id


@dataclass(frozen=True)
class Change:
    """A submission whose grade would change."""

    before: Standing
    now: Standing
    checks: tuple[CheckChange, ...]

    @property
    def difference(self) -> int:
        """How many points it goes up."""
        return self.now.score - self.before.score


def begin(run: Path, out: Path) -> None:
    """Begin a set: a copy of the run's journal, whose verdicts are kept where nothing changed.

    Raises:
        ClassError: the folder is another run's.
    """
    with Journal(run) as journal:
        if journal.setting(_OF) is not None:
            raise ClassError(f"{run} is itself a regrade; apply or discard it first.")
        if (out / JOURNAL).exists():
            with Journal(out) as other:
                if other.setting(_OF) == str(run.resolve()) and other.setting(_APPLIED) is None:
                    return  # it goes on where it was
            raise ClassError(f"{out} holds another run; name a new folder with --out.")
        settings = {_OF: str(run.resolve()), _BASE: journal.grades_digest()}
        _put(journal, out, JOURNAL, **settings)


def changes(before: Journal, now: Journal) -> list[Change]:
    """Return the submissions whose grades differ, by how many points, those that lose first."""
    others = {each.submission.id: each for each in now.standings()}
    found = []
    for standing in before.standings():
        other = others.get(standing.submission.id)
        if other is None:
            continue
        checks = tuple(_changed_checks(standing, other))
        if checks or standing.state != other.state:
            found.append(Change(standing, other, checks))
    return sorted(found, key=lambda each: (each.difference, each.now.submission.id))


def _changed_checks(before: Standing, now: Standing) -> Iterator[CheckChange]:
    one = {check.id: check for verdict in before.verdicts for check in verdict.checks}
    other = {check.id: check for verdict in now.verdicts for check in verdict.checks}
    for id_ in dict.fromkeys([*one, *other]):
        old, new = one.get(id_), other.get(id_)
        if old is None or new is None or (old.points, old.maximum) != (new.points, new.maximum):
            yield CheckChange(old, new)


def to_markdown(found: list[Change]) -> str:
    """Return the changes as a page: a table, then both cards of each check that changed."""
    rows = [
        "# What a regrade changes",
        "",
        "| submission | before | now | difference |",
        "|---|---|---|---|",
    ]
    for change in found:
        before, now = _points(change.before), _points(change.now)
        rows.append(f"| {change.now.submission.id} | {before} | {now} | {change.difference:+} |")
    for change in found:
        rows += ["", f"## {change.now.submission.id}: {change.difference:+}"]
        if change.now.state != State.GRADED:
            rows += ["", change.now.reason]
        for check in change.checks:
            rows += ["", f"### {check.id}"]
            for name, verdict in (("Before", check.before), ("Now", check.now)):
                rows += ["", f"{name}: {_told(verdict)}"]
                if verdict is not None and verdict.card:
                    rows += ["", *(f"    {line}" for line in verdict.card.splitlines())]
    return "\n".join(rows) + "\n"


def _points(standing: Standing) -> str:
    if standing.state == State.GRADED:
        return f"{standing.score} of {standing.maximum}"
    return str(standing.state)


def _told(verdict: CheckVerdict | None) -> str:
    if verdict is None:
        return "there is no such check."
    return f"{verdict.points} of {verdict.maximum} points."


def base_of(journal: Journal, run: Path) -> Path:
    """Return the folder of the run that a set was made of.

    Raises:
        ClassError: it is no set, or was applied.
    """
    base = journal.setting(_OF)
    if base is None:
        raise ClassError(f"{run} is no regrade; lab class regrade RUN --out {run} makes one.")
    if journal.setting(_APPLIED) is not None:
        raise ClassError(f"{run} was applied to {base} already.")
    return Path(base)


def apply(run: Path) -> Path:
    """Take a set for the run that it was made of; that run's journal before is kept beside it.

    Returns:
        the run's folder.

    Raises:
        ClassError: the set is not whole, or the run has changed since.
    """
    with lock.locked(run), Journal(run) as journal:
        base = base_of(journal, run)
        waiting = [
            each.submission.id
            for each in journal.standings()
            if each.state not in (State.GRADED, State.NOT_GRADED)
        ]
        if waiting:
            raise ClassError(
                f"{len(waiting)} submissions of {run} are not graded yet; go on with "
                f"lab class regrade {base} --out {run}"
            )
        with lock.locked(base):
            with Journal(base) as old:
                if old.grades_digest() != journal.setting(_BASE):
                    raise ClassError(
                        f"{base} has changed since {run} was made of it; discard {run} and regrade."
                    )
                _put(old, base, BEFORE)
            _put(journal, base, JOURNAL)
        journal.set(_APPLIED, "yes")
    return base


def _put(journal: Journal, folder: Path, name: str, **settings: str) -> None:
    """Write a journal into a folder under a name, whole or not at all, as a run of its own.

    Args:
        settings: what else it says of itself.
    """
    draft = folder / f".{name}.draft"
    draft.mkdir(parents=True, exist_ok=True)
    journal.copy_to(draft)
    with Journal(draft) as copy:
        copy.unset(_OF, _BASE)
        for setting, value in settings.items():
            copy.set(setting, value)
    os.replace(draft / JOURNAL, folder / name)
    shutil.rmtree(draft)


def discard(run: Path) -> None:
    """Remove a set; the run that it was made of stays as it is.

    Raises:
        ClassError: it is no set, or was applied.
    """
    with Journal(run) as journal:
        base_of(journal, run)
    with lock.locked(run):
        for name in (JOURNAL, GRADES, CHANGES):
            (run / name).unlink(missing_ok=True)
    (run / lock.FILE).unlink(missing_ok=True)
    try:
        run.rmdir()
    except OSError:
        pass  # there are files in it that are not ours
