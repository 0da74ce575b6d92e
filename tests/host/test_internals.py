"""What the harness uses of other libraries' private parts is still where it was.

Each row is one such name. Where a release of Python or of a library moves it, the row's test fails
by that name, and `seen` says which releases still had it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.prover import COURSE

PACKAGE = COURSE / "shared" / "ml_api_lab"
PYTHON = "Python 3.11 to 3.13"


@dataclass(frozen=True, kw_only=True)
class Internal:
    """A private name, or a public one that is replaced where the library itself looks it up.

    Attributes:
        name: its dotted name, the module first.
        why: what would no longer work without it.
        user: the function or module of the library that must refer to it: to be there is not
            enough for what is replaced.
        assigned_by: the function that must assign it, for an attribute of instances.
        seen: the releases in which it was found.
        since: the first Python that has it.
        until: the last Python that has it.
        is_posix: whether only POSIX has it.
    """

    name: str
    why: str
    user: str | None = None
    assigned_by: str | None = None
    seen: str = PYTHON
    since: tuple[int, int] = (3, 11)
    until: tuple[int, int] = (3, 99)
    is_posix: bool = False

    @property
    def id(self) -> str:
        return f"{self.name} in {self.user}" if self.user else self.name

    @property
    def is_due(self) -> bool:
        is_here = os.name == "posix" or not self.is_posix
        return is_here and self.since <= sys.version_info[:2] <= self.until


INTERNALS = [
    Internal(
        name="threading._allocate_lock",
        why="a condition waits with a lock in lab time",
        user="threading.Condition.wait",
    ),
    Internal(
        name="threading._allocate_lock",
        why="the reentrant lock in Python is made of a lock in lab time",
        user="threading._PyRLock.__init__",
    ),
    Internal(
        name="threading._PyRLock",
        why="a reentrant lock waits in lab time",
    ),
    Internal(
        name="queue._PySimpleQueue",
        why="a simple queue waits in lab time",
    ),
    Internal(
        name="threading.Semaphore",
        why="the simple queue in Python is made of locks in lab time",
        user="queue._PySimpleQueue.__init__",
    ),
    Internal(
        name="threading._active_limbo_lock",
        why="threading's own lock is made real again in a fork",
        user="threading._after_fork",
    ),
    Internal(
        name="threading._shutdown_locks_lock",
        why="threading's own lock is made real again in a fork",
        user="threading._after_fork",
        seen="Python 3.11 and 3.12",
        until=(3, 12),
    ),
    Internal(
        name="threading.Thread._bootstrap_inner",
        why="a thread counts as running to its very end",
        user="threading.Thread._bootstrap",
    ),
    Internal(
        name="threading._threading_atexits",
        why="idle threads of pools hear that a script has ended",
        user="threading._register_atexit",
    ),
    Internal(
        name="atexit._run_exitfuncs",
        why="a script's exit handlers run",
    ),
    Internal(
        name="atexit._clear",
        why="the fork server's exit handlers do not run in a host",
    ),
    Internal(
        name="multiprocessing.util._exit_function",
        why="a script's processes are waited for, and what they shared is freed",
        user="multiprocessing.util",
    ),
    Internal(
        name="subprocess._fork_exec",
        why="a spare becomes the interpreter that subprocess starts",
        user="subprocess.Popen._execute_child",
        is_posix=True,
    ),
    Internal(
        name="_posixsubprocess.fork_exec",
        why="a spare becomes the interpreter that multiprocessing starts",
        user="multiprocessing.util.spawnv_passfds",
        is_posix=True,
    ),
    Internal(
        name="_posixsubprocess.fork_exec",
        why="a spare becomes the interpreter that joblib starts",
        user="joblib.externals.loky.backend.fork_exec.fork_exec",
        seen="joblib 1.6",
        is_posix=True,
    ),
    Internal(
        name="joblib.externals.loky.process_executor._USE_PSUTIL",
        why="workers of joblib do not ask for their memory where psutil is refused",
        user="joblib.externals.loky.process_executor._process_worker",
        seen="joblib 1.6",
    ),
    Internal(
        name="subprocess._args_from_interpreter_flags",
        why="the options with which multiprocessing starts an interpreter are known",
        user="multiprocessing.spawn.get_command_line",
    ),
    Internal(
        name="runpy._run_module_as_main",
        why="a warm interpreter runs a module as `python -m` does",
    ),
    Internal(
        name="threading._shutdown",
        why="a warm interpreter waits for a server's threads",
    ),
    Internal(
        name="asyncio.events._set_running_loop",
        why="a loop is known to run, and keeps the beat",
        user="asyncio.BaseEventLoop.run_forever",
        until=(3, 12),
    ),
    Internal(
        name="asyncio.events._set_running_loop",
        why="a loop is known to run, and keeps the beat",
        user="asyncio.BaseEventLoop._run_forever_setup",
        since=(3, 13),
    ),
    Internal(
        name="asyncio.BaseEventLoop.time",
        why="a loop's timers are in lab time",
        user="asyncio.BaseEventLoop.call_later",
    ),
    Internal(
        name="asyncio.events.TimerHandle",
        why="timers of one moment fire in the order in which they were set",
        user="asyncio.BaseEventLoop.call_at",
    ),
    Internal(
        name="asyncio.unix_events.can_use_pidfd",
        why="a child process is waited for in real time",
        user="asyncio.unix_events",
        seen="Python 3.12 and 3.13",
        since=(3, 12),
        is_posix=True,
    ),
    Internal(
        name="multiprocessing.process._children",
        why="it is known whether a pool waits for other processes",
        user="multiprocessing.process.BaseProcess.start",
    ),
    Internal(
        name="multiprocessing.process.ORIGINAL_DIR",
        why="a child process finds the submission's main module",
        user="multiprocessing.spawn.get_preparation_data",
    ),
    Internal(
        name="multiprocessing.connection.wait",
        why="an executor waits for its processes in real time",
        user="concurrent.futures.process._ExecutorManagerThread.wait_result_broken_or_wakeup",
    ),
    Internal(
        name="multiprocessing.pool.wait",
        why="a pool waits for its processes in real time",
        user="multiprocessing.pool.Pool._wait_for_updates",
    ),
    Internal(
        name="joblib.externals.loky.process_executor.wait",
        why="joblib's pool waits for its processes in real time",
        user="joblib.externals.loky.process_executor._ExecutorManagerThread"
        ".wait_result_broken_or_wakeup",
        seen="joblib 1.6",
    ),
    Internal(
        name="concurrent.futures.process._ExecutorManagerThread.pending_work_items",
        why="it is known whether an executor's processes have work",
        assigned_by="concurrent.futures.process._ExecutorManagerThread.__init__",
    ),
    Internal(
        name="joblib.externals.loky.process_executor._ExecutorManagerThread.pending_work_items",
        why="it is known whether joblib's processes have work",
        assigned_by="joblib.externals.loky.process_executor._ExecutorManagerThread.__init__",
        seen="joblib 1.6",
    ),
    Internal(
        name="asyncio.BaseEventLoop._scheduled",
        why="the checks' loop takes timers of the lab's class",
        user="asyncio.BaseEventLoop._run_once",
        assigned_by="asyncio.BaseEventLoop.__init__",
    ),
    Internal(
        name="asyncio.BaseEventLoop._clock_resolution",
        why="the checks' loop fires no timer early",
        user="asyncio.BaseEventLoop._run_once",
        assigned_by="asyncio.BaseEventLoop.__init__",
    ),
    Internal(
        name="asyncio.TimerHandle._scheduled",
        why="a timer that is cancelled is taken out of the loop",
        user="asyncio.BaseEventLoop._timer_handle_cancelled",
    ),
]


def find(name: str) -> Any:
    """Return what has that dotted name: of a module, of a class in it, and so on."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("row", INTERNALS, ids=lambda row: row.id)
def test_a_private_name_is_where_it_was(row: Internal) -> None:
    if not row.is_due:
        pytest.skip(f"{sys.platform} with Python {sys.version_info[:2]} needs no {row.name}")
    moved = f"{row.name} (seen in {row.seen}) has moved, and without it this fails: {row.why}."
    last = row.name.rpartition(".")[2]
    try:
        if row.assigned_by is None:
            find(row.name)
        else:
            source = inspect.getsource(find(row.assigned_by))
            assert re.search(rf"\bself\.{last}\b.* = ", source), moved
        if row.user is not None:
            source = inspect.getsource(find(row.user))
            assert re.search(rf"(?<!def )\b{last}\b", source), (
                f"{row.user} does not use it: {moved}"
            )
    except (AttributeError, ModuleNotFoundError) as error:
        pytest.fail(f"{moved} ({error})")


async def test_a_step_of_an_asynchronous_generator_refers_to_it() -> None:
    """So a lifespan that stands still can be shown at its line."""

    async def generate() -> Any:
        yield

    generator = generate()
    step = generator.asend(None)
    assert type(step).__name__ == "async_generator_asend"
    assert generator in gc.get_referents(step)
    step.close()
    thrown = generator.athrow(ValueError())
    assert type(thrown).__name__ == "async_generator_athrow"
    assert generator in gc.get_referents(thrown)
    thrown.close()


# --- nothing private is used anywhere else --------------------------------------------------------

# Documented by Python in spite of their names, and a method of named tuples.
PUBLIC = {"_asdict", "_current_frames", "_exit", "_getframe"}


def private_names(path: Path) -> set[str]:
    """Return the private attributes that a module takes of something else than itself."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    } - PUBLIC


def is_one_of_ours(path: Path, name: str) -> bool:
    """Whether a module has an attribute of that name in a class of its own."""
    source = path.read_text(encoding="utf-8")
    return re.search(rf"self\.{name}\b|def {name}\b|\.{name} = ", source) is not None


@pytest.mark.parametrize(
    "path",
    [path for path in PACKAGE.rglob("*.py") if path.name != "internals.py"],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_private_names_stand_in_one_module(path: Path) -> None:
    assert [name for name in private_names(path) if not is_one_of_ours(path, name)] == []


@pytest.mark.parametrize("room", ["host", "sandbox"])
def test_every_private_name_is_watched(room: str) -> None:
    watched = {row.name.rpartition(".")[2] for row in INTERNALS}
    assert private_names(PACKAGE / room / "internals.py") - watched == set()
