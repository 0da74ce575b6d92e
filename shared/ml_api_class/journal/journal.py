"""The journal of a run: everything that was handed in, and every grade, in one SQLite file.

A grade is written in one transaction, by key: a process that is killed at any moment leaves either
all of it or nothing, and who writes it again changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from ml_api_class.digests import Origin
from ml_api_class.errors import ClassError
from ml_api_class.journal.records import KeptVerdict, Person, Standing, State, Submission
from ml_api_class.journal.schema import migrate
from ml_api_class.task_files import TaskFiles
from ml_api_class.verdict import TaskVerdict

FILE = "journal.sqlite"
_BUSY_SECONDS = 30.0


class Journal:
    """An open journal.

    Args:
        folder: the run's folder.
        can_create: whether a journal is begun where there is none.

    Raises:
        ClassError: there is none, or it cannot be read.
        JournalTooNew: a later version of the lab wrote it.
    """

    def __init__(self, folder: Path, *, can_create: bool = False) -> None:
        self.path = folder / FILE
        if not can_create and not self.path.is_file():
            raise ClassError(
                f"{folder} is no run: it has no {FILE}; begin one with "
                f"lab class grade SUBMISSIONS --out {folder}"
            )
        try:
            self._database = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            migrate(self._database)
            self._database.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error as error:
            raise ClassError(f"The journal {self.path} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    # --- settings -------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        """Return what was written under that name."""
        found = self._database.execute("SELECT value FROM setting WHERE name = ?", (name,))
        row = found.fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        """Write a value under a name."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    # --- submissions ----------------------------------------------------------------------------

    def put_submission(
        self, submission: Submission, files: Mapping[str, TaskFiles], position: int
    ) -> None:
        """Write a submission and its files, in the place of what it was before.

        Args:
            files: by digest; those that the journal has already may be left out.
        """
        with self._transaction() as database:
            database.executemany(
                "INSERT OR IGNORE INTO files VALUES (?, ?)",
                [(digest, each.pack()) for digest, each in files.items()],
            )
            self._put_submission(database, submission, position)

    def _put_submission(
        self, database: sqlite3.Connection, submission: Submission, position: int
    ) -> None:
        database.execute(
            "INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "position = excluded.position, person = excluded.person, source = excluded.source, "
            "fingerprint = excluded.fingerprint, problem = excluded.problem, "
            "notes = excluded.notes",
            (
                submission.id,
                position,
                submission.person.to_json(),
                submission.source,
                submission.fingerprint,
                submission.problem,
                json.dumps(submission.notes),
            ),
        )
        database.execute("DELETE FROM submission_task WHERE submission = ?", (submission.id,))
        database.executemany(
            "INSERT INTO submission_task VALUES (?, ?, ?)",
            [(submission.id, task, digest) for task, digest in submission.files.items()],
        )

    def keep_only(self, ids: Iterable[str]) -> list[str]:
        """Forget the submissions that are no longer there; return their ids."""
        known = set(ids)
        gone = [each.id for each in self.submissions() if each.id not in known]
        with self._transaction() as database:
            database.executemany("DELETE FROM submission WHERE id = ?", [(each,) for each in gone])
        return gone

    def submissions(self) -> list[Submission]:
        """Return all submissions, in their order."""
        files: dict[str, dict[str, str]] = {}
        for submission, task, digest in self._database.execute(
            "SELECT submission, task, files FROM submission_task"
        ):
            files.setdefault(submission, {})[task] = digest
        rows = self._database.execute(
            "SELECT id, person, source, fingerprint, problem, notes FROM submission "
            "ORDER BY position, id"
        )
        return [
            Submission(
                id_,
                Person.from_json(person),
                files.get(id_, {}),
                source,
                fingerprint,
                problem,
                tuple(json.loads(notes)),
            )
            for id_, person, source, fingerprint, problem, notes in rows
        ]

    def packed(self, digest: str) -> bytes:
        """Return the packed files with that digest."""
        found = self._database.execute("SELECT packed FROM files WHERE digest = ?", (digest,))
        return bytes(found.fetchone()[0])

    def copy_submissions(self, other: Journal) -> None:
        """Write all of another journal's submissions, with their files, into this one."""
        with self._transaction() as database:
            for digest, packed in other._database.execute("SELECT digest, packed FROM files"):
                database.execute("INSERT OR IGNORE INTO files VALUES (?, ?)", (digest, packed))
            for position, submission in enumerate(other.submissions()):
                self._put_submission(database, submission, position)

    # --- verdicts and grades --------------------------------------------------------------------

    def shared_keys(self) -> dict[str, int]:
        """Return the verdicts that any submission may have, their numbers by their keys."""
        rows = self._database.execute("SELECT key, id FROM verdict WHERE is_shared")
        return dict(rows.fetchall())

    def put_verdicts(self, verdicts: Iterable[KeptVerdict]) -> list[int]:
        """Write verdicts; return their numbers. A shared one that is there already stays."""
        with self._transaction() as database:
            return [self._put_verdict(database, each) for each in verdicts]

    def _put_verdict(self, database: sqlite3.Connection, kept: KeptVerdict) -> int:
        content = json.dumps(asdict(kept.origin), sort_keys=True)
        database.execute("INSERT OR IGNORE INTO origin (content) VALUES (?)", (content,))
        (number,) = database.execute(
            "SELECT id FROM origin WHERE content = ?", (content,)
        ).fetchone()
        done = database.execute(
            "INSERT OR IGNORE INTO verdict (key, task, files, origin, is_shared, score, maximum, "
            "content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                kept.key,
                kept.verdict.task,
                kept.files,
                number,
                kept.is_shared,
                kept.verdict.score,
                kept.verdict.maximum,
                kept.verdict.to_json(),
            ),
        )
        if done.rowcount:
            assert done.lastrowid is not None
            return done.lastrowid
        found = database.execute("SELECT id FROM verdict WHERE key = ? AND is_shared", (kept.key,))
        return int(found.fetchone()[0])

    def copy_verdicts(self, other: Journal) -> None:
        """Write all of another journal's shared verdicts into this one."""
        rows = other._database.execute(
            "SELECT key, files, origin.content, verdict.content FROM verdict "
            "JOIN origin ON origin.id = verdict.origin WHERE is_shared ORDER BY verdict.id"
        )
        self.put_verdicts(
            KeptVerdict(
                key=key,
                files=files,
                origin=Origin(**json.loads(origin)),
                is_shared=True,
                verdict=TaskVerdict.from_json(content),
            )
            for key, files, origin, content in rows
        )

    def put_grade(self, submission: str, key: str, verdicts: Mapping[str, int]) -> None:
        """Write that a submission is graded, by the verdicts with these numbers."""
        with self._transaction() as database:
            self._put_grade(database, submission, key, State.GRADED, "", can_retry=False)
            database.executemany(
                "INSERT INTO grade_task VALUES (?, ?, ?)",
                [(submission, task, number) for task, number in verdicts.items()],
            )

    def put_failure(self, submission: str, key: str, reason: str, *, can_retry: bool) -> None:
        """Write that a submission could not be graded, and why.

        Args:
            can_retry: whether the next run tries again by itself.
        """
        with self._transaction() as database:
            self._put_grade(
                database, submission, key, State.NOT_GRADED, reason, can_retry=can_retry
            )

    def _put_grade(
        self,
        database: sqlite3.Connection,
        submission: str,
        key: str,
        state: State,
        reason: str,
        *,
        can_retry: bool,
    ) -> None:
        database.execute("DELETE FROM grade WHERE submission = ?", (submission,))
        database.execute(
            "INSERT INTO grade VALUES (?, ?, ?, ?, ?, ?)",
            (submission, key, state, reason, can_retry, _now()),
        )

    def done(self, *, retry: bool = False) -> dict[str, str]:
        """Return the submissions that have a grade that stands, and its key.

        Args:
            retry: whether none that could not be graded stands.
        """
        rows = self._database.execute(
            "SELECT submission, key FROM grade WHERE state = 'graded' OR NOT (can_retry OR ?)",
            (retry,),
        )
        return dict(rows.fetchall())

    def forget_grades(self, ids: Iterable[str]) -> None:
        """Forget grades of what has changed since; verdicts are kept."""
        with self._transaction() as database:
            database.executemany(
                "DELETE FROM grade WHERE submission = ?", [(each,) for each in ids]
            )

    def standings(self, only: Sequence[str] | None = None) -> Iterator[Standing]:
        """Yield each submission with what it came to, in their order.

        Args:
            only: the ids of some of them.
        """
        running = {
            row[0]
            for row in self._database.execute("SELECT submission FROM attempt WHERE ended IS NULL")
        }
        grades = {
            id_: (state, reason)
            for id_, state, reason in self._database.execute(
                "SELECT submission, state, reason FROM grade"
            )
        }
        for submission in self.submissions():
            if only is not None and submission.id not in only:
                continue
            waiting = State.RUNNING if submission.id in running else State.WAITING
            state, reason = grades.get(submission.id, (waiting, ""))
            yield Standing(submission, State(state), reason, self._verdicts(submission.id))

    def _verdicts(self, submission: str) -> tuple[TaskVerdict, ...]:
        rows = self._database.execute(
            "SELECT content FROM grade_task JOIN verdict ON verdict.id = verdict "
            "WHERE submission = ? ORDER BY grade_task.task",
            (submission,),
        )
        return tuple(TaskVerdict.from_json(content) for (content,) in rows)

    def origins(self, submission: str) -> list[Origin]:
        """Return what made the verdicts of a graded submission."""
        rows = self._database.execute(
            "SELECT origin.content FROM grade_task JOIN verdict ON verdict.id = verdict "
            "JOIN origin ON origin.id = origin WHERE submission = ? ORDER BY grade_task.task",
            (submission,),
        )
        return [Origin(**json.loads(content)) for (content,) in rows]

    # --- attempts -------------------------------------------------------------------------------

    def begin_attempt(self, submission: str, tasks: Sequence[str]) -> int:
        """Write that some tasks of a submission are being graded; return the attempt's number."""
        with self._transaction() as database:
            done = database.execute(
                "INSERT INTO attempt (submission, tasks, began) VALUES (?, ?, ?)",
                (submission, json.dumps(list(tasks)), _now()),
            )
            assert done.lastrowid is not None
            return done.lastrowid

    def end_attempt(self, number: int, outcome: str) -> None:
        """Write how an attempt ended."""
        with self._transaction() as database:
            database.execute(
                "UPDATE attempt SET ended = ?, outcome = ? WHERE id = ?", (_now(), outcome, number)
            )

    def end_lost_attempts(self) -> int:
        """Mark the attempts of a process that was killed; return how many there were."""
        with self._transaction() as database:
            done = database.execute(
                "UPDATE attempt SET ended = ?, outcome = 'lost' WHERE ended IS NULL", (_now(),)
            )
            return done.rowcount


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
