"""A room for a hostile run: a process of pytest that may be killed, with all that is around it.

The room has namespaces of its own (processes, mounts, network, IPC) and file systems in memory for
temporary files; the environment's folder is a copy on write, and everything else is read-only. In
it a toy course is graded, with a copy of the lab: a hostile task, and others beside it that must
keep their points. So whatever an attack may do is over with the room. It needs root.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.attacks.targets import PRELUDE, TARGETS
from tests.proofs.prover import COURSE
from tests.support.toy import LIMIT, Course, own_environment
from tests.support.toy_tasks import CHECKS, RIGHT

HOSTILE = "task_0_1"
_BESIDE = [f"task_0_{number}" for number in range(2, 8)]

_WATCH_SECONDS = 2.0
"""How long to look at what an attack does when the run has ended."""


def play(name: str, attack: dict[str, Any], tier: str) -> dict[str, str]:
    """Grade that attack in a room of its own; return what it did, by its kind, and how it shows.

    The kinds are: "fooled" (it has points, or the report is not what the run wrote), "cost" (the
    others have not all theirs), "left" (a process runs on), "wrote" (a file outside is changed).
    """
    apart = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--mount"]
    apart += ["--net", "--ipc", sys.executable, "-m", __name__]
    ran = subprocess.run(
        apart,
        input=json.dumps({"name": name, "attack": attack, "tier": tier}),
        capture_output=True,
        text=True,
        cwd=COURSE,
        timeout=LIMIT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def _furnish() -> None:
    """Mount what may be written to, and make all else read-only."""

    def mount(*words: str, check: bool = True) -> None:
        subprocess.run(["mount", *words], check=check, capture_output=True)

    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "none", "/mnt")
    for each in ("environment", "upper", "work", "course"):
        os.mkdir(f"/mnt/{each}")
    mount("--bind", sys.prefix, "/mnt/environment")
    mount("--bind", str(COURSE), "/mnt/course")
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        mount("-t", "tmpfs", "-o", "size=1g", "none", place)
    os.makedirs(sys.prefix, exist_ok=True)  # it may lie where temporary files do
    layers = "lowerdir=/mnt/environment,upperdir=/mnt/upper,workdir=/mnt/work"
    mount("-t", "overlay", "none", "-o", layers, sys.prefix)
    kept = ("/mnt", "/tmp", "/var/tmp", "/dev", "/proc", "/sys", sys.prefix)
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for point in reversed([line.split()[1] for line in lines]):
        if not any(point == each or point.startswith(f"{each}/") for each in kept):
            mount("-o", "remount,bind,ro", point, check=False)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class _Run:
    """One run of the toy course, and what is seen of it."""

    def __init__(self, name: str, attack: dict[str, Any], tier: str) -> None:
        self._place = Path("/tmp/room")
        self._home = self._place / "home"
        self._home.mkdir(parents=True)
        self._report = self._place / "grade.json"
        self._course = Course(self._place / "lab")
        lab = self._course.root
        shutil.copytree(
            "/mnt/course/shared", lab / "shared", ignore=shutil.ignore_patterns("__pycache__")
        )
        given = {"lab": str(lab), "home": str(self._home), "port": 0, "name": name}
        given |= {"mark": name[:15], "report": str(self._report)}
        prelude = PRELUDE.format(targets=json.dumps(TARGETS), given=json.dumps(given))
        self._course.task(
            HOSTILE, attack.get("check", CHECKS), prelude + attack["code"], {"main.py": RIGHT}
        )
        for each in _BESIDE:
            self._course.task(each, CHECKS, RIGHT)
        self._tier = tier
        self._status: int | None = None
        self._text = ""

    def grade(self) -> None:
        command = self._course.command(
            f"--isolation={self._tier}", "--budget=10", f"--report=json={self._report}"
        )
        environment = own_environment(
            HOME=str(self._home),
            PYTHONPATH=str(self._course.root / "shared"),
            PYTHONDONTWRITEBYTECODE="1",
        )
        # What runs in the background would pass by an interruption.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with (self._place / "printed").open("w+b") as printed:
            run = subprocess.Popen(
                command,
                cwd=self._course.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )
            self._status = run.wait(LIMIT)
            printed.seek(0)
            self._text = printed.read().decode(errors="replace")

    def states(self) -> dict[str, str]:
        """Return what is in each file that no run has to change, as the student's progress is."""
        roots = [self._course.root, self._home, Path("/mnt/upper"), Path("/dev/shm")]
        files = [path for root in roots for path in root.rglob("*") if path.is_file()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.suffix != ".pyc" and ".lab" not in path.parts
        }

    def report(self) -> str | None:
        return self._report.read_text(encoding="utf-8") if self._report.exists() else None

    def judged(self, first: str | None, second: str | None) -> dict[str, str]:
        """Return what a report shows that it should not, by its kind."""
        found: dict[str, str] = {}
        if first is None:
            return {"cost": f"there is no report, exit status {self._status}: {self._text[-300:]}"}
        if first != second:
            found["fooled"] = "the report was changed behind the run"
        grade = json.loads(first)
        scores = {each["name"]: each["score"] for each in grade["tasks"]}
        if scores.pop(HOSTILE, 0):
            found["fooled"] = "it has points"
        wrong = [f"{name} has {scores.get(name)}" for name in _BESIDE if scores.get(name) != 10]
        if wrong or not grade["complete"]:
            found["cost"] = f"{', '.join(wrong)} ({grade['ended']}): {self._text[-300:]}"
        return found


def _processes() -> list[str]:
    """Return the names of the processes that are there beside this one."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            state = (place / "stat").read_text().rpartition(") ")[2].split()[0]
            if int(place.name) != os.getpid() and state not in "ZX":
                found.append((place / "comm").read_text().strip())
        except OSError:  # it has ended meanwhile
            continue
    return found


def _reap() -> None:
    """Collect the orphans of the room: this process is its first."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main() -> None:
    given = json.load(sys.stdin)
    _furnish()
    # The rights of an attack begin with those of the room.
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run = _Run(given["name"], given["attack"], given["tier"])
    before = run.states()
    found: dict[str, str] = {}
    for _ in range(given["attack"].get("runs", 1)):
        run.grade()
        first = run.report()
        time.sleep(_WATCH_SECONDS)
        found |= run.judged(first, run.report())
    _reap()
    if left := _processes():
        found["left"] = ", ".join(left)
    after = run.states()
    if changed := [path for path in {*before, *after} if before.get(path) != after.get(path)]:
        found["wrote"] = ", ".join(sorted(changed)[:3])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
