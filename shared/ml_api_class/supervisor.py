"""The supervisor: has everything graded that is not graded yet, and writes down what it came to.

It alone writes to the journal. Whatever is killed, and whenever, the next run goes on with what is
not written there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass

from ml_api_class.cache_keys import Origin
from ml_api_class.engines.engine import Engine
from ml_api_class.errors import WorkerEnded
from ml_api_class.grading.unit import Answer, Unit
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import KeptVerdict
from ml_api_class.planner import Plan, Work, pending_of
from ml_api_lab.errors import HarnessError

MAX_HARNESS_FAILURES = 3
_TICK_SECONDS = 0.5


@dataclass
class Totals:
    """How far a run is.

    Attributes:
        number: how many submissions there are in all.
        done: how many need nothing more, those of earlier runs included.
        earlier: how many of those were done before this run.
        not_graded: how many of this run could not be graded.
        units: how many pieces of work were done.
    """

    number: int = 0
    done: int = 0
    earlier: int = 0
    not_graded: int = 0
    units: int = 0


class Supervisor:
    """Grades what a journal holds.

    Args:
        origins: what makes the verdicts, by task.
        use_cache: whether a verdict counts for all submissions with the same files; without it,
            each is graded by itself.
        retry: whether to try again what could not be graded.
        on_tick: is called twice a second, and after each step.
    """

    def __init__(
        self,
        journal: Journal,
        engine: Engine,
        origins: Mapping[str, Origin],
        *,
        use_cache: bool = True,
        retry: bool = False,
        on_tick: Callable[[Totals], None] = lambda totals: None,
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._origins = origins
        self._use_cache = use_cache
        self._retry = retry
        self._on_tick = on_tick
        self._in_flight: dict[Future[Answer], tuple[Work, int]] = {}
        self._is_alone = False
        self.totals = Totals()

    def run(self) -> Totals:
        """Grade; return when nothing is left to do.

        Raises:
            HarnessError: no worker can grade at all.
            KeyboardInterrupt: it was interrupted; what was at work is given up, the rest is kept.
        """
        self._journal.end_lost_attempts()
        plan = self._plan()
        try:
            while True:
                self._fill(plan)
                self._write_finished(plan)
                if not self._in_flight:
                    break
                done, _ = wait(self._in_flight, _TICK_SECONDS, FIRST_COMPLETED)
                for future in done:
                    self._take(plan, future)
                self._on_tick(self.totals)
        except BaseException:
            for _, number in self._in_flight.values():
                self._journal.end_attempt(number, "interrupted")
            raise
        return self.totals

    def _plan(self) -> Plan:
        journal = self._journal
        submissions = journal.submissions()
        done = journal.done(retry=self._retry)
        own = journal.own_verdicts()
        left = []
        for each in submissions:
            if each.problem:
                if done.get(each.id) != each.problem:
                    journal.put_failure(each.id, each.problem, each.problem, can_retry=False)
            elif done.get(each.id) != pending_of(each, self._origins).key:
                left.append(each)
        journal.forget_grades(each.id for each in left)
        self.totals = Totals(len(submissions), len(submissions) - len(left))
        self.totals.earlier = self.totals.done
        known = journal.shared_keys() if self._use_cache else {}
        return Plan(left, self._origins, known, own, shares=self._use_cache)

    def _fill(self, plan: Plan) -> None:
        """Have as much at work as the engine can do, and one piece more."""
        if not self._in_flight:
            self._is_alone = False
        while not self._is_alone and len(self._in_flight) <= self._engine.capacity:
            work = plan.next_work()
            if work is None:
                break
            self._begin(work)
        if not self._in_flight and (work := plan.next_alone()) is not None:
            self._is_alone = True
            self._begin(work)

    def _begin(self, work: Work) -> None:
        submission = work.pending.submission
        packed = tuple((task, self._journal.packed(submission.files[task])) for task in work.tasks)
        number = self._journal.begin_attempt(submission.id, work.tasks)
        future = self._engine.submit(Unit(submission.id, packed))
        self._in_flight[future] = work, number

    def _take(self, plan: Plan, future: Future[Answer]) -> None:
        work, number = self._in_flight[future]
        try:
            answer = future.result()
        except WorkerEnded as error:
            del self._in_flight[future]
            self._journal.end_attempt(number, str(error))
            self._suspect(plan, work, str(error))
            return
        except CancelledError as error:
            raise HarnessError("The engine was closed while it graded.") from error
        self.totals.units += 1
        if answer.harness_problem:
            del self._in_flight[future]
            self._journal.end_attempt(number, answer.harness_problem)
            self._fail(plan, work, answer.harness_problem)
            return
        self._keep(plan, work, answer)
        del self._in_flight[future]
        self._journal.end_attempt(number, "graded")

    def _keep(self, plan: Plan, work: Work, answer: Answer) -> None:
        files = work.pending.submission.files
        kept = [
            KeptVerdict(
                key=work.pending.keys[each.task],
                files=files[each.task],
                origin=self._origins[each.task],
                is_shared=self._use_cache and not each.is_doubtful,
                verdict=each,
            )
            for each in answer.verdicts
        ]
        numbers = list(zip(kept, self._journal.put_verdicts(kept), strict=True))
        plan.complete(
            work,
            {each.verdict.task: number for each, number in numbers if each.is_shared},
            {each.verdict.task: number for each, number in numbers if not each.is_shared},
        )

    def _suspect(self, plan: Plan, work: Work, reason: str) -> None:
        """Try a submission that ended a worker once more, alone; then leave it."""
        if work.pending.is_suspect:
            self._give_up(plan, work, reason, can_retry=False)
        else:
            work.pending.is_suspect = True
            plan.again(work)

    def _fail(self, plan: Plan, work: Work, reason: str) -> None:
        """Try a submission in which the harness failed again; then leave it to the next run."""
        work.pending.failures += 1
        if work.pending.failures < MAX_HARNESS_FAILURES:
            plan.again(work)
        else:
            told = f"The harness failed {MAX_HARNESS_FAILURES} times: {reason}"
            self._give_up(plan, work, told, can_retry=True)

    def _give_up(self, plan: Plan, work: Work, reason: str, *, can_retry: bool) -> None:
        pending = work.pending
        self._journal.put_failure(pending.submission.id, pending.key, reason, can_retry=can_retry)
        plan.give_up(work)
        self.totals.done += 1
        self.totals.not_graded += 1

    def _write_finished(self, plan: Plan) -> None:
        for pending, verdicts in plan.finished():
            self._journal.put_grade(pending.submission.id, pending.key, verdicts)
            self.totals.done += 1
        self._on_tick(self.totals)
