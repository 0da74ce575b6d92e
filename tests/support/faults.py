"""Faults of submissions, graded in toy courses: each costs its own check, and nothing else.

A table of faults is committed in one course, a task each; between the faults stands a task in
order, whose check must pass whatever has happened before it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.toy import LIMIT, Course

HANGING_SECONDS = 2
"""The budget of what never ends. Whatever ends by itself has more than it needs on any machine."""

_MARKER = "LAB_TOY_MARKER"

SERVE = '''
@points(10, hint="?")
async def test_it(task: Task, clock: Clock):
    """It answers."""
    {before_start}
    async with task.serve({options}) as client:
        {after_start}
        assert (await client.get("/")).status_code == 200, "The status is wrong."
        {then}
'''

RUN = '''
@points(10, hint="?")
async def test_it(task: Task, clock: Clock):
    """It runs."""
    {before_start}
    run = await task.run({options})
    assert run.status == 0, f"The exit status is {{run.status}}; 0 is right."
'''

LOAD = '''
@points(10, hint="?")
async def test_it(task: Task, clock: Clock):
    """It imports."""
    {before_start}
    await task.load({options})
'''

GOOD = '''
@points(10, hint="?")
async def test_good(task: Task, clock: Clock):
    """All is well."""
    async with task.serve() as client:
        assert (await client.get("/")).status_code == 200, "The status is wrong."
    assert clock.elapsed == seconds(2), f"It took {clock.elapsed}; 2 s is right."
'''

SPEAK_ON_LINK = """
def link():
    for fd in range(3, 256):
        try:
            found = socket.socket(fileno=os.dup(fd))
            if found.family == socket.AF_INET: return found
        except OSError: pass
def frame(data): return len(data).to_bytes(4, 'big') + data
def say(**message): link().sendall(frame(json.dumps(message).encode()))
"""
"""Functions with which a submission finds its link to the checks, and speaks there itself."""

ASKED = "The application, asked for GET /, "
START = "Importing or starting main.py "
NO_REST = f"did not come to rest within {HANGING_SECONDS} s of real time"


@dataclass(frozen=True)
class Fault:
    """A submission, the check of it, and how the check's sentence begins.

    Attributes:
        then: what the check does once its request is answered.
        hangs: whether only the budget ends it.
        prepare: what is done to the task's folder beforehand.
        is_posix_only: whether other systems know no such fault.
        also_without_forks: whether it is also committed in a fresh interpreter, as on Windows.
    """

    source: str | bytes
    says: str
    check: str = RUN
    then: str = ""
    hangs: bool = False
    prepare: Callable[[Path], object] | None = None
    is_posix_only: bool = False
    also_without_forks: bool = False

    def check_source(self, options: str) -> str:
        """Return the check; of what hangs, with the budget cut when it is about to do so."""
        cut = f"clock.budget = {HANGING_SECONDS}"
        hangs = self.hangs or NO_REST in self.says
        asked = self.says.startswith(ASKED)
        return self.check.format(
            options=options,
            before_start=cut if hangs and not asked else "pass",  # it begins with the process
            after_start=f"{cut}; clock.renew_budget()" if hangs and asked else "pass",
            then=self.then,
        )


def app(body: str, before: str = "") -> str:
    """Return a bare ASGI application that does this before it answers."""
    indented = "".join(f"    {each}\n" for each in body.splitlines())
    return (
        "import asyncio, ctypes, json, os, re, signal, socket, sys, threading, time\n"
        f"{before}\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] != 'http': raise RuntimeError\n"
        f"{indented}"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'ok'})\n"
    )


def possible_here(faults: Mapping[str, Fault]) -> dict[str, Fault]:
    """Return the faults that this system knows."""
    known = os.name == "posix"
    return {name: each for name, each in faults.items() if known or not each.is_posix_only}


def without_forks(faults: Mapping[str, Fault]) -> dict[str, Fault]:
    """Return the faults that are also committed in fresh interpreters."""
    possible = possible_here(faults)
    return {name: each for name, each in possible.items() if each.also_without_forks}


class Outcomes:
    """What the checks of faults said, in both kinds of hosts.

    The runs go side by side: many a fault does nothing but use up its budget.

    Attributes:
        forked, fresh: the report's entry of each fault's check, by the fault's name.
    """

    def __init__(self, folder: Path, faults: Mapping[str, Fault]) -> None:
        forked = list(possible_here(faults).items())
        halves = [dict(forked[start::2]) for start in (0, 1)]
        fresh = without_forks(faults)
        roots = [folder / f"course-{os.getpid()}-{number}" for number in range(3)]
        with ThreadPoolExecutor(3) as pool:
            runs = [pool.submit(_grade, *each) for each in zip(roots, halves, strict=False)]
            alone = pool.submit(_grade, roots[2], fresh, fork=False) if fresh else None
            self.forked = {name: check for run in runs for name, check in run.result().items()}
            self.fresh = alone.result() if alone is not None else {}


def _grade(root: Path, faults: dict[str, Fault], *, fork: bool = True) -> dict[str, dict[str, Any]]:
    """Grade a course of these faults; return the report of each check by its fault's name."""
    course = _build(root, faults, neighbours=fork)
    result = course.run(
        # Without a tier, each fault does all that it means to do.
        f"--budget={LIMIT}",
        "--isolation=none",
        "checks",
        LAB_FORK="1" if fork else "0",
    )
    assert result.status == 1, result.text
    give_up = time.monotonic() + LIMIT
    while sys.platform == "linux" and (left := _marked_processes(root.name)):
        assert time.monotonic() < give_up, left
        time.sleep(0.1)
    for name, check in result.checks.items():
        if name.endswith("test_good"):
            seen = (check["outcome"], check["lab_seconds"])
            assert seen == ("passed", 2), f"After {name}: {check['message']}"
    return {name: result.checks[f"task_{number}_1 test_it"] for number, name in enumerate(faults)}


def _build(root: Path, faults: dict[str, Fault], *, neighbours: bool) -> Course:
    course = Course(root)
    course.preload("fastapi")
    for number, fault in enumerate(faults.values()):
        task = f"task_{number}_1"
        check = fault.check_source(f'env={{"{_MARKER}": "{root.name}"}}')
        course.task(task, check, fault.source)
        if fault.prepare is not None:
            fault.prepare(course.root / "exercises" / task)
        if neighbours or number == len(faults) - 1:
            course.task(f"task_{number}_2", GOOD, app("await asyncio.sleep(2)"))
    return course


def _marked_processes(name: str) -> list[str]:
    """Return the processes of this machine that carry the marker (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARKER}={name}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def expect_fault(check: dict[str, Any], fault: Fault) -> None:
    """Assert that a check failed for that fault, with a sentence and a card that can be read."""
    assert check["outcome"] == "failed"
    assert check["points"] == 0
    says = fault.says.replace("{task}", check["id"].split("/")[1])
    assert check["message"].startswith(says), check["message"]
    assert "\n" not in check["message"]
    assert len(check["message"]) < 400
    assert len(check["card"]) < 20_000
    assert all(each.isprintable() or each in "\t\n" for each in check["card"])


def each_fault(faults: Mapping[str, Fault]) -> Callable[..., None]:
    """Return the test of a module's faults, each by its name; the module calls them FAULTS."""

    @pytest.mark.parametrize("name", possible_here(faults))
    def test_fault(name: str, outcomes: Outcomes) -> None:
        expect_fault(outcomes.forked[name], faults[name])

    return test_fault


def each_fault_without_forks(faults: Mapping[str, Fault]) -> Callable[..., None]:
    """Return the test of those that are also committed in a fresh interpreter."""

    @pytest.mark.parametrize("name", without_forks(faults))
    def test_fault_without_forks(name: str, outcomes: Outcomes) -> None:
        expect_fault(outcomes.fresh[name], faults[name])

    return test_fault_without_forks
