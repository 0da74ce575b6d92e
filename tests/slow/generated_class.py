"""A generated class: every point as it is known beforehand, however the work is divided or killed.

    pytest tests/slow/generated_class.py -s --runs 1000

`--runs` says how many students there are. The class is graded with the cache, by as many workers as
is usual, and its first part by one worker without it; then again with workers and the supervisor
killed at random moments. Slow: ``tox -e class``.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ml_api_class.engines.process_tree import children
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import State
from ml_api_class.verdict import outcomes
from tests.proofs.prover import COURSE, Prover, cases
from tests.support.generated_class import Expected, Outcomes, Student, students
from tests.support.toy import own_environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, sends signals")

KILLS = 30
SERIAL = 10
SAME_PORT = 12
MOST_SECONDS_BETWEEN_KILLS = 20.0
GROWTH = 1.1


@dataclass(frozen=True)
class Generated:
    """A class on disk.

    Attributes:
        expected: each check's outcome, by student.
    """

    submissions: Path
    expected: dict[str, Outcomes]


@pytest.fixture(scope="module")
def generated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generated:
    folder = tmp_path_factory.mktemp("class")
    prover = Prover(budget=20)
    expected = Expected(prover)
    known = {}
    for student in students(request.config.getoption("--runs"), "middle"):
        student.write(folder / "submissions")
        known[student.id] = expected.of(student, folder)
    prover.close()
    return Generated(folder / "submissions", known)


def command(submissions: Path, out: Path, *options: str) -> list[str]:
    base = [sys.executable, "-m", "ml_api_lab.cli", "class", "grade", str(submissions)]
    return [*base, "--out", str(out), "--seed", "1", "--isolation", "landlock", *options]


def start(submissions: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(submissions, out, *options),
        cwd=COURSE,
        env=own_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def results(out: Path) -> dict[str, Outcomes]:
    with Journal(out) as journal:
        standings = list(journal.standings())
        grades = journal._database.execute("SELECT count(*) FROM grade").fetchone()[0]
    assert {each.state for each in standings} == {State.GRADED}, [
        (each.submission.id, each.reason) for each in standings if each.state != State.GRADED
    ]
    assert grades == len(standings)
    return {each.submission.id: outcomes(each.verdicts) for each in standings}


def left_behind() -> set[str]:
    """Return the folders and processes of classes that there are."""
    places = {Path(tempfile.gettempdir()), Path("/dev/shm")}
    folders = {str(each) for place in places for each in place.glob("lab-class-*")}
    return folders | set(map(str, children(os.getpid(), recursive=True)))


def test_every_point_is_the_known_one(generated: Generated, tmp_path: Path) -> None:
    before = left_behind()
    began = time.monotonic()
    process = start(generated.submissions, tmp_path / "run")
    seen: list[int] = []
    while process.poll() is None:
        try:
            _, resident, *_ = Path(f"/proc/{process.pid}/statm").read_text().split()
        except OSError:
            break
        seen.append(int(resident) * os.sysconf("SC_PAGE_SIZE"))
        time.sleep(0.5)
    assert process.wait() == 0
    took = time.monotonic() - began
    found = results(tmp_path / "run")
    wrong = {
        (student, check): (found[student][check], known)
        for student, checks in generated.expected.items()
        for check, known in checks.items()
        if found[student][check] != known
    }
    assert wrong == {}
    assert left_behind() <= before
    early = max(seen[: len(seen) // 2 + 1])
    print(
        f"\n{len(found)} submissions in {took / 60:.1f} min: 0 wrong points; the supervisor had "
        f"{early // 2**20} MB in the first half, {max(seen) // 2**20} MB at most"
    )
    assert max(seen) <= early * GROWTH


def test_who_serve_on_the_same_port_cost_each_other_nothing(tmp_path: Path) -> None:
    case = next(each for each in cases("mistake") if each.name == "a port of its own")
    prover = Prover()
    expected = Expected(prover)
    everybody = [Student(f"p{index:02}", (case,)) for index in range(SAME_PORT)]
    for each in everybody:
        each.write(tmp_path / "submissions")
    known = expected.of(everybody[0], tmp_path)
    prover.close()
    options = ["--tasks", case.task, "--workers", "3"]
    assert start(tmp_path / "submissions", tmp_path / "run", *options).wait() == 0
    found = results(tmp_path / "run")
    assert len(found) == SAME_PORT
    for checks in found.values():
        assert checks == {name: known[name] for name in checks}


def test_one_by_one_without_the_cache_is_the_same(generated: Generated, tmp_path: Path) -> None:
    some = tmp_path / "some"
    some.mkdir()
    for name in sorted(generated.expected)[:SERIAL]:
        (generated.submissions / name).rename(some / name)
    try:
        process = start(some, tmp_path / "run", "--workers", "1", "--no-cache")
        assert process.wait() == 0
    finally:
        for path in some.iterdir():
            path.rename(generated.submissions / path.name)
    found = results(tmp_path / "run")
    assert found == {name: generated.expected[name] for name in found}


def test_kills_lose_and_double_nothing(generated: Generated, tmp_path: Path) -> None:
    before = left_behind()
    draw = random.Random(1)
    kills = {"worker": 0, "supervisor": 0}
    process = start(generated.submissions, tmp_path / "run", "--workers", "2")
    while sum(kills.values()) < KILLS:
        time.sleep(draw.uniform(0.5, MOST_SECONDS_BETWEEN_KILLS))
        if process.poll() is not None:
            break
        victim = draw.choice(("worker", "supervisor"))
        workers = children(process.pid)
        if victim == "supervisor":
            process.kill()
            process.wait()
            process = start(generated.submissions, tmp_path / "run", "--workers", "2", "--retry")
        elif workers:
            os.kill(draw.choice(workers), signal.SIGKILL)
        else:
            continue
        kills[victim] += 1
    process.wait()
    # What was killed twice by chance is marked, and is graded when somebody asks for it.
    assert start(generated.submissions, tmp_path / "run", "--retry").wait() == 0
    assert results(tmp_path / "run") == generated.expected
    assert left_behind() <= before
    print(f"\n{kills} killed under {len(generated.expected)} submissions: 0 lost, 0 doubled")
    assert sum(kills.values())
