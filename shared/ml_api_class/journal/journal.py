"""The journal of a run: everything that was handed in, and every grade, in one SQLite file.

A grade is written in one transaction, by key: a process that is killed at any moment leaves either
all of it or nothing, and who writes it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from ml_api_class.cache_keys import Origin
from ml_api_class.errors import ClassError
from ml_api_class.journal.records import KeptVerdict, Person, Standing, State, Submission
from ml_api_class.journal.schema import migrate, now
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

    def unset(self, *names: str) -> None:
        """Forget what was written under these names."""
        with self._transaction() as database:
            database.executemany("DELETE FROM setting WHERE name = ?", [(each,) for each in names])

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

    def copy_to(self, folder: Path) -> None:
        """Write all of it into another folder, in the place of a journal there, whole or not."""
        draft = folder / f".{FILE}.new"
        draft.unlink(missing_ok=True)
        with closing(sqlite3.connect(draft)) as target:
            self._database.backup(target)
        os.replace(draft, folder / FILE)

    # --- verdicts and grades --------------------------------------------------------------------

    def shared_keys(self) -> dict[str, int]:
        """Return the verdicts that any submission may have, their numbers by their keys."""
        rows = self._database.execute("SELECT key, id FROM verdict WHERE is_shared")
        return dict(rows.fetchall())

    def own_verdicts(self) -> dict[str, dict[str, int]]:
        """Return the verdicts that count for one graded submission alone: numbers by key, by id.

        What is as it was when they were made keeps them: it is not graded again.
        """
        found: dict[str, dict[str, int]] = {}
        for submission, key, number in self._database.execute(
            "SELECT submission, key, verdict.id FROM grade_task "
            "JOIN verdict ON verdict.id = verdict WHERE NOT is_shared"
        ):
            found.setdefault(submission, {})[key] = number
        return found

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

    def put_grade(self, submission: str, key: str, verdicts: Mapping[str, int]) -> None:
        """Write that a submission is graded, by the verdicts with these numbers."""
        with self._transaction() as database:
            self._put_grade(database, submission, key, State.GRADED, "", can_retry=False)
            database.executemany(
                "INSERT INTO grade_task VALUES (?, ?, ?)",
                [(submission, task, number) for task, number in verdicts.items()],
            )

    def take(self, other: Journal, submission: Submission, position: int) -> None:
        """Write one submission of another journal, with its files and its grade, into this one."""
        packed = {digest: other.packed(digest) for digest in submission.files.values()}
        grade = other._database.execute(
            "SELECT key, state, reason, can_retry, graded_at FROM grade WHERE submission = ?",
            (submission.id,),
        ).fetchone()
        rows = other._database.execute(
            "SELECT grade_task.task, key, files, is_shared, origin.content, verdict.content "
            "FROM grade_task JOIN verdict ON verdict.id = verdict "
            "JOIN origin ON origin.id = origin WHERE submission = ?",
            (submission.id,),
        ).fetchall()
        with self._transaction() as database:
            database.executemany("INSERT OR IGNORE INTO files VALUES (?, ?)", packed.items())
            self._put_submission(database, submission, position)
            if grade is not None:
                database.execute(
                    "INSERT INTO grade VALUES (?, ?, ?, ?, ?, ?)", (submission.id, *grade)
                )
            for task, key, files, is_shared, origin, content in rows:
                number = self._put_verdict(
                    database,
                    KeptVerdict(
                        key=key,
                        files=files,
                        origin=Origin(**json.loads(origin)),
                        is_shared=bool(is_shared),
                        verdict=TaskVerdict.from_json(content),
                    ),
                )
                database.execute(
                    "INSERT INTO grade_task VALUES (?, ?, ?)", (submission.id, task, number)
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
            (submission, key, state, reason, can_retry, now()),
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

    def standings(
        self, only: Sequence[str] | None = None, *, in_sum: bool = False
    ) -> Iterator[Standing]:
        """Yield each submission with what it came to, in their order.

        Args:
            only: the ids of some of them.
            in_sum: whether the points of its tasks are enough, which take little memory.
        """
        running = {
            row[0]
            for row in self._database.execute("SELECT submission FROM attempt WHERE ended IS NULL")
        }
        rows = self._database.execute("SELECT submission, state, reason FROM grade")
        grades = {id_: (state, reason) for id_, state, reason in rows}
        seen: dict[int, TaskVerdict] = {}
        for submission in self.submissions():
            if only is not None and submission.id not in only:
                continue
            waiting = State.RUNNING if submission.id in running else State.WAITING
            state, reason = grades.get(submission.id, (waiting, ""))
            verdicts = self._verdicts(submission.id, seen, in_sum=in_sum)
            yield Standing(submission, State(state), reason, verdicts)

    def _verdicts(
        self, submission: str, seen: dict[int, TaskVerdict], *, in_sum: bool
    ) -> tuple[TaskVerdict, ...]:
        """Return the verdicts of a grade; what many share is read and held once."""
        asked = "SELECT verdict FROM grade_task WHERE submission = ? ORDER BY task"
        numbers = [number for (number,) in self._database.execute(asked, (submission,))]
        for number in set(numbers).difference(seen):
            asked = "SELECT content FROM verdict WHERE id = ?"
            (content,) = self._database.execute(asked, (number,)).fetchone()
            verdict = TaskVerdict.from_json(content)
            seen[number] = verdict.in_sum() if in_sum else verdict
        return tuple(seen[number] for number in numbers)

    def origins(self) -> list[Origin]:
        """Return what made the verdicts of all grades, each different one once."""
        rows = self._database.execute(
            "SELECT content FROM origin WHERE id IN "
            "(SELECT origin FROM grade_task JOIN verdict ON verdict.id = verdict) ORDER BY id"
        )
        return [Origin(**json.loads(content)) for (content,) in rows]

    def grades_digest(self) -> str:
        """Return a digest of all grades: another one when any of them has changed."""
        rows = self._database.execute("SELECT submission, key, state FROM grade ORDER BY 1")
        return hashlib.sha256(repr(rows.fetchall()).encode()).hexdigest()

    # --- attempts -------------------------------------------------------------------------------

    def begin_attempt(self, submission: str, tasks: Sequence[str]) -> int:
        """Write that some tasks of a submission are being graded; return the attempt's number."""
        with self._transaction() as database:
            done = database.execute(
                "INSERT INTO attempt (submission, tasks, began) VALUES (?, ?, ?)",
                (submission, json.dumps(list(tasks)), now()),
            )
            assert done.lastrowid is not None
            return done.lastrowid

    def end_attempt(self, number: int, outcome: str) -> None:
        """Write how an attempt ended."""
        with self._transaction() as database:
            database.execute(
                "UPDATE attempt SET ended = ?, outcome = ? WHERE id = ?", (now(), outcome, number)
            )

    def end_lost_attempts(self) -> int:
        """Mark the attempts of a process that was killed; return how many there were."""
        with self._transaction() as database:
            done = database.execute(
                "UPDATE attempt SET ended = ?, outcome = 'lost' WHERE ended IS NULL", (now(),)
            )
            return done.rowcount
