"""Isolation as the checks' side sees it: which tier a run has, and whether that tier holds here.

A tier is believed only when it was tried: in a throwaway host a probe does what a submission must
not be able to do, and what it must. That a tier holds is remembered, for this boot of the machine,
in the user's cache folder if there is one; that it does not is not: whoever could write there could
else weaken the next run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import select
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ml_api_lab.errors import HarnessError, LabError
from ml_api_lab.protocol.confinement import UNCONFINED, Confinement, Tier
from ml_api_lab.protocol.messages import Execute
from ml_api_lab.sandbox.hosts.host_pool import HostPool

Wanted = Literal["auto", "best", "none", "landlock", "namespace"]

_CANDIDATES: dict[Wanted, tuple[Tier, ...]] = {
    "auto": ("landlock",),
    "best": ("namespace", "landlock"),
    "none": (),
    "landlock": ("landlock",),
    "namespace": ("namespace",),
}
_PACKAGE = Path(__file__).resolve().parents[2]
_SOURCES = ("host/isolation", "host/__main__.py", "host/fork_server.py", "protocol", "sandbox")
"""What decides about a tier: when it changes, the tier is tried again."""

_PROBE = Path(__file__).with_name("isolation_probe.py")
_PROBE_SECONDS = 30.0
_SIGNALS_SINCE = (6, 12)
"""The version of Linux from which on Landlock knows of signals."""

_POLL_SECONDS = 0.005
_END_SECONDS = 5.0
_MOST_REMEMBERED = 50


class NotIsolated(LabError):
    """The tier that was asked for by name does not hold here: the run is refused."""


@dataclass(frozen=True)
class Isolation:
    """The tier of a run.

    Attributes:
        confinement: what hosts are told.
        notes: why it is no stronger, in sentences.
    """

    confinement: Confinement = UNCONFINED
    notes: tuple[str, ...] = field(default=())

    @property
    def tier(self) -> Tier:
        return self.confinement.tier

    @property
    def has_own_ports(self) -> bool:
        """Whether the servers of a run have a network of their own."""
        return self.tier == "namespace"


def choose(wanted: Wanted, course: Path, *, debugging: str = "") -> Isolation:
    """Return the isolation of a run.

    Args:
        course: the root of the course.
        debugging: what a debugger needs that isolation forbids, as a clause; "" for no debugger.

    Raises:
        NotIsolated: that very tier was asked for, and does not hold.
    """
    if wanted == "none":
        return Isolation()
    is_named = wanted not in ("auto", "best")
    if debugging and not is_named:
        return Isolation(notes=(f"Isolation is off: {debugging}.",))
    notes: list[str] = []
    for tier in _CANDIDATES[wanted]:
        confinement = Confinement(tier, str(course))
        if (problem := problem_of(confinement)) is None:
            return Isolation(confinement, (*notes, *_missing()))
        notes.append(f"Isolation {tier} cannot be had here: {problem}.")
    if is_named:
        raise NotIsolated(
            f"{notes[0]} Nothing was graded; --isolation=best takes the strongest that can."
        )
    return Isolation(notes=tuple(notes))


def _missing() -> list[str]:
    """Return what this kernel cannot do, in sentences."""
    numbers = re.findall(r"\d+", os.uname().release)
    if tuple(map(int, numbers[:2])) >= _SIGNALS_SINCE:
        return []
    return [
        "This kernel (before Linux 6.12) cannot keep a submission from signals to processes of the "
        "same user that began after it."
    ]


def problem_of(confinement: Confinement) -> str | None:
    """Return why that confinement does not hold here, None if it does."""
    if sys.platform != "linux":
        return "it needs Linux"
    if os.environ.get("LAB_FORK") == "0":
        return "it needs hosts that are forked, and LAB_FORK=0 forbids that"
    memory = _Memory(confinement)
    if memory.says_that_it_holds():
        return None
    try:
        problem = _probe(confinement)
    except HarnessError as error:
        problem = _last_line(str(error))
    if problem is None:
        memory.remember()
    return problem


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no host started"


def _probe(confinement: Confinement) -> str | None:
    """Try everything in a throwaway host; return what is wrong, None if nothing is.

    Raises:
        HarnessError: no host started.
    """
    if confinement.tier == "namespace":
        _start_in_lab_time(confinement)
    folder = Path(tempfile.mkdtemp(prefix="lab-")).resolve()
    outside = Path(tempfile.mkdtemp(prefix="lab-")).resolve()
    try:
        canary = outside / "canary"
        canary.write_text(secrets.token_hex())
        before = canary.stat()
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            with (
                socket.create_server(("127.0.0.1", 0)) as server,
                socket.socket(socket.AF_UNIX) as local,
            ):
                local.bind(str(outside / "socket"))
                local.listen()
                given = {
                    "home": os.path.expanduser("~"),
                    "canary": str(canary),
                    "lab": confinement.course,
                    "checks": os.getpid(),
                    "port": server.getsockname()[1],
                    "socket": str(outside / "socket"),
                    "pipe": str(pipe),
                }
                problem = _run_probe(confinement, folder, given)
                if problem is None and select.select([server, local], [], [], 0)[0]:
                    problem = "a connection came through"
            if problem is None and not _is_alone(reader):
                problem = "a submission can leave a process behind"
        finally:
            os.close(reader)
        after = canary.stat()
        if problem is None and (before.st_mode, before.st_size) != (after.st_mode, after.st_size):
            problem = "a file of the user's was changed"
        return problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(outside, ignore_errors=True)


def _start_in_lab_time(confinement: Confinement) -> None:
    """Start a host in lab time, which has a network of its own; the probe's is on the wall clock.

    Raises:
        HarnessError: none started.
    """
    pool = HostPool("lab", confinement=confinement)
    try:
        link, pid = pool.acquire()
        link.close()
        pool.terminate(pid)
    finally:
        pool.close()


def _run_probe(confinement: Confinement, folder: Path, given: dict[str, object]) -> str | None:
    """Have a host run the probe to its end, and end everything."""
    output, report = folder / "output", folder / "report"
    output.touch()
    program = Execute(
        arguments=[
            "-c",
            _PROBE.read_text(encoding="utf-8"),
            json.dumps(given | {"report": str(report)}),
        ],
        is_python=True,
        folder=str(folder),
        environment={"PATH": os.environ.get("PATH", os.defpath), "TMPDIR": str(folder)},
        output=str(output),
        workspace=str(folder),
    )
    pool = HostPool("real", confinement=confinement)
    try:
        pid = pool.execute(program)
        give_up = time.monotonic() + _PROBE_SECONDS
        while (status := pool.exit_status(pid)) is None and time.monotonic() < give_up:
            time.sleep(_POLL_SECONDS)
        pool.terminate(pid)
    finally:
        pool.close()
    if status != 0:
        said = output.read_text(encoding="utf-8", errors="replace")
        return f"the probe ended with status {status}: {_last_line(said)}"
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "the probe wrote no report"
    if content["possible"]:
        return f"a submission can {', '.join(content['possible'])}"
    if content["impossible"]:
        return f"a submission cannot {', '.join(content['impossible'])}"
    return None


def _is_alone(reader: int) -> bool:
    """Whether nobody holds the other end of a pipe any more, or soon will not."""
    give_up = time.monotonic() + _END_SECONDS
    while time.monotonic() < give_up:
        try:
            if os.read(reader, 1) == b"":
                return True
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)
    return False


class _Memory:
    """The file that remembers which confinements hold, each by a digest of all that decides it."""

    def __init__(self, confinement: Confinement) -> None:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        # None is made for this: a machine that keeps nothing is not to keep this either.
        self._file = caches / "ml-api-lab" / "isolation.json" if caches.is_dir() else None
        self._key = _digest(confinement)

    def says_that_it_holds(self) -> bool:
        return self._key in self._read()

    def remember(self) -> None:
        if self._file is None:
            return
        known = [*self._read(), self._key][-_MOST_REMEMBERED:]
        try:
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            temporary.write_text(json.dumps(known), encoding="utf-8")
            temporary.replace(self._file)
        except OSError:
            pass  # then it is tried again

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return content if isinstance(content, list) else []


def _digest(confinement: Confinement) -> str:
    """Return what stands for this boot, kernel, user, place, Python and lab."""
    digest = hashlib.sha256(confinement.to_text().encode())
    facts = [os.uname(), os.getuid(), sys.version, sys.executable, sys.path, os.environ.get("HOME")]
    facts += [os.environ.get("PYTHONPATH")]
    for name in ("user", "mnt", "pid", "net", "ipc"):
        facts.append(_link(f"/proc/self/ns/{name}"))
    try:
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    except OSError:
        facts.append(secrets.token_hex())
    digest.update(repr(facts).encode())
    for name in _SOURCES:
        place = _PACKAGE / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return secrets.token_hex()
