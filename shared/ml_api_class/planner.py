"""The plan of a run: what is left to grade, each different piece of work once.

Verdicts are shared by key. A task's files that several students handed in alike (the stubs that
nobody has touched, above all) are graded with the first submission that has them; the others wait
for that verdict. If it turns out to be doubtful, each of them is graded by itself, and none that
comes later waits for another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ml_api_class.cache_keys import Origin, grade_key
from ml_api_class.journal.records import Submission


@dataclass
class Pending:
    """A submission that is yet to be graded.

    Attributes:
        keys: the key of each task.
        own: the numbers of verdicts that count for it alone, by task.
        failures: how often the harness failed in it.
        is_suspect: whether it ended a worker: it is tried once more, alone.
    """

    submission: Submission
    keys: Mapping[str, str]
    own: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    is_suspect: bool = False

    @property
    def key(self) -> str:
        """The key of its whole grade."""
        return grade_key(self.keys.values())


@dataclass(frozen=True)
class Work:
    """Some tasks of a submission that somebody has to grade now."""

    pending: Pending
    tasks: tuple[str, ...]


class Plan:
    """What is left to do.

    Args:
        submissions: those to grade.
        origins: what makes the verdicts, by task.
        known: the numbers of the verdicts that there are, by key.
        own: the numbers of verdicts that count for one submission alone and that it has already,
            by key, by submission.
        shares: whether one submission may have the verdicts on another's files.
    """

    def __init__(
        self,
        submissions: Sequence[Submission],
        origins: Mapping[str, Origin],
        known: Mapping[str, int],
        own: Mapping[str, Mapping[str, int]] | None = None,
        *,
        shares: bool = True,
    ) -> None:
        self._shares = shares
        self._known = dict(known)
        self._claimed: set[str] = set()
        self._doubtful: set[str] = set()
        self._queue = deque(pending_of(each, origins) for each in submissions)
        self._blocked: list[Pending] = []
        for pending in self._queue:
            kept = (own or {}).get(pending.submission.id, {})
            pending.own.update(
                {task: kept[key] for task, key in pending.keys.items() if key in kept}
            )
        self._alone: deque[Pending] = deque()
        self._finished: deque[tuple[Pending, dict[str, int]]] = deque()

    def next_work(self) -> Work | None:
        """Return what somebody can begin with now; None if there is nothing at the moment."""
        while self._queue:
            pending = self._queue.popleft()
            left = [task for task in pending.keys if task not in pending.own]
            unknown = [task for task in left if pending.keys[task] not in self._known]
            free = tuple(task for task in unknown if pending.keys[task] not in self._claimed)
            if free:
                return self._claim(pending, free)
            if unknown:
                self._blocked.append(pending)
            else:
                shared = {task: self._known[pending.keys[task]] for task in left}
                self._finished.append((pending, {**shared, **pending.own}))
        return None

    def next_alone(self) -> Work | None:
        """Return work to be done alone: it ended a worker, or the harness failed in it."""
        if not self._alone:
            return None
        pending = self._alone.popleft()
        unknown = [
            task
            for task, key in pending.keys.items()
            if task not in pending.own and key not in self._known
        ]
        return self._claim(pending, tuple(unknown))

    def finished(self) -> list[tuple[Pending, dict[str, int]]]:
        """Return the submissions all of whose verdicts are there, with their numbers; once each."""
        done = list(self._finished)
        self._finished.clear()
        return done

    def complete(self, work: Work, shared: Mapping[str, int], own: Mapping[str, int]) -> None:
        """Take the verdicts on some work.

        Args:
            shared: the numbers of those that others may have too, by task.
            own: the numbers of those that count for this submission alone, by task.
        """
        self._known.update({work.pending.keys[task]: number for task, number in shared.items()})
        self._doubtful.update(work.pending.keys[task] for task in own)
        work.pending.own.update(own)
        self._release(work)
        self._queue.appendleft(work.pending)

    def again(self, work: Work) -> None:
        """Have some work done once more, alone and after all else."""
        self._release(work)
        self._alone.append(work.pending)

    def give_up(self, work: Work) -> None:
        """Leave a submission ungraded; who waits for its verdicts is graded without it."""
        self._release(work)

    def _claim(self, pending: Pending, tasks: tuple[str, ...]) -> Work:
        if self._shares:
            keys = {pending.keys[task] for task in tasks}
            self._claimed.update(keys - self._doubtful)
        return Work(pending, tasks)

    def _release(self, work: Work) -> None:
        self._claimed.difference_update(work.pending.keys[task] for task in work.tasks)
        self._queue.extendleft(reversed(self._blocked))
        self._blocked.clear()


def pending_of(submission: Submission, origins: Mapping[str, Origin]) -> Pending:
    """Return a submission as one to be graded, with the keys of its tasks."""
    keys = {task: origin.key(submission.files[task]) for task, origin in origins.items()}
    return Pending(submission, keys)
