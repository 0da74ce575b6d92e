"""The lock that graders on one machine share."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ml_api_lab.errors import Dead, NoPort
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import NO_TIME
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.trials.machine_lock import MachineLock
from ml_api_lab.trials.parallel_trials import ParallelTrials
from ml_api_lab.trials.trial import Trial
from tests.support.toy import LIMIT, own_environment
from tests.trials.test_parallel_trials import trial

_HOLDS = """
import sys
from pathlib import Path
from ml_api_lab.trials.machine_lock import MachineLock
lock = MachineLock(Path(sys.argv[2]))
with getattr(lock, sys.argv[1])(lambda: False):
    print("held", flush=True)
    sys.stdin.read()
"""


def never() -> bool:
    return False


class Other:
    """Another grader, which holds the lock until it is told to give it back."""

    def __init__(self, how: str, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _HOLDS, how, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=own_environment(),
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == b"held"

    def give_back(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(LIMIT) == 0
        self._process.stdout.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=LIMIT)


class Waiting:
    """A thread that holds the lock for a moment, as soon as it can; it never goes on without."""

    def __init__(self, how: str, file: Path) -> None:
        self.has_held = threading.Event()
        self._is_over = threading.Event()
        self._lock = MachineLock(file, most_seconds=2 * LIMIT)
        self._how = how
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def _hold(self) -> None:
        with getattr(self._lock, self._how)(self._is_over.is_set):
            if not self._is_over.is_set():
                self.has_held.set()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()


def test_many_hold_it_together(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = Other("together", file)
    waiting = [Waiting("together", file) for _ in range(2)]
    for each in waiting:
        assert each.has_held.wait(LIMIT)
        each.end()
    other.give_back()


def test_one_is_alone_once_the_others_have_given_it_back(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = Other("together", file)
    waiting = Waiting("alone", file)
    assert not waiting.has_held.wait(0.5)
    other.give_back()
    assert waiting.has_held.wait(LIMIT)
    waiting.end()


def test_nobody_is_beside_who_is_alone(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = Other("alone", file)
    waiting = [Waiting(how, file) for how in ("together", "alone")]
    assert not any(each.has_held.wait(0.25) for each in waiting)
    other.give_back()
    for each in waiting:
        assert each.has_held.wait(LIMIT)
        each.end()


def test_a_grader_that_is_killed_gives_it_back(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = Other("alone", file)
    other.kill()
    waiting = Waiting("alone", file)
    assert waiting.has_held.wait(LIMIT)
    waiting.end()


def test_who_is_to_end_waits_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = Other("alone", file)
    waiting = Waiting("together", file)
    waiting.end()
    assert not waiting.has_held.is_set()
    other.give_back()


def test_after_its_time_it_goes_on_without(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = Other("alone", file)
    went_on = False
    with MachineLock(file, most_seconds=0.5).together(never):
        went_on = True
    assert went_on
    other.give_back()


def test_what_is_no_lock_keeps_nobody_from_a_verdict(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.write_text("a text of somebody else's, and a long one " * 50)
    went_on = []
    for place in (file, tmp_path / "missing" / "lock", tmp_path):
        with MachineLock(place).alone(never):
            went_on.append(place)
    assert len(went_on) == 3
    assert file.read_text().startswith("a text of somebody")


class Noted(MachineLock):
    """Notes how it is held."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.held: list[str] = []

    @contextmanager
    def together(self, is_over: Callable[[], bool]) -> Iterator[None]:
        self.held.append("together")
        with super().together(is_over):
            yield

    @contextmanager
    def alone(self, is_over: Callable[[], bool]) -> Iterator[None]:
        self.held.append("alone")
        with super().alone(is_over):
            yield


def _trial(*, is_real: bool) -> Trial:
    clock: ClockName = "real" if is_real else "lab"
    made = trial("it", clock)
    return replace(made, check=replace(made.check, on_the_wall_clock=is_real))


@pytest.mark.parametrize(
    ("is_real", "error", "held"),
    [
        (True, None, ["together"]),
        (True, AssertionError("Nothing listened."), ["together", "together"]),
        (True, NoPort("It ended."), ["together", "alone"]),
        (False, Dead("It has died."), []),
    ],
)
def test_a_server_that_may_have_lacked_its_port_is_the_only_one_the_next_time(
    is_real: bool, error: BaseException | None, held: list[str], tmp_path: Path
) -> None:
    one = _trial(is_real=is_real)

    def play(trial: Trial, **options: object) -> Verdict:
        return Verdict(check=trial.check, error=error, lab_time=NO_TIME, clock=trial.clock)

    servers = Noted(tmp_path / "lock")
    trials = ParallelTrials(play, lambda trial: cast(Workspace, SimpleNamespace()), servers)
    trials.begin([one])
    assert trials.verdict(one) is not None
    trials.end()
    assert servers.held == held


def test_one_that_lacks_its_port_the_second_time_is_played_once_more(tmp_path: Path) -> None:
    one = _trial(is_real=True)
    errors = [AssertionError("Too slow."), NoPort("It ended."), None]

    def play(trial: Trial, **options: object) -> Verdict:
        return Verdict(check=trial.check, error=errors.pop(0), lab_time=NO_TIME, clock="real")

    servers = Noted(tmp_path / "lock")
    trials = ParallelTrials(play, lambda trial: cast(Workspace, SimpleNamespace()), servers)
    trials.begin([one])
    found = trials.verdict(one)
    trials.end()
    assert found is not None
    assert found.passed
    assert servers.held == ["together", "together", "alone"]
