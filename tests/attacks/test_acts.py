"""Attacks on what is around a submission: each succeeds without a tier, and fails in one.

All of them are graded in one run for each tier, each as a task of a toy course; they need no root
and touch nothing but that course, a home and a service of its own, all of them made for this.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ml_api_lab.host import own_modules, program
from ml_api_lab.protocol.confinement import TIERS, Tier
from ml_api_lab.sandbox.files import workspace
from tests.attacks.targets import PRELUDE, TARGETS
from tests.proofs.prover import COURSE
from tests.support import tiers
from tests.support.toy import LIMIT, Course

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tiers are Linux's")

ACTS: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).with_name("acts.toml")).read_text(encoding="utf-8")
)
CHECK = '''
@points(10, hint="Is this a hint?")
async def test_it(task: Task):
    """It runs."""
    run = await task.run(may_fail=True)
    print(run.output)
'''


class Ground:
    """Where attacks are played: a course, a home, and a service, all of this test's own.

    Attributes:
        succeeded: the names of the attacks that reached what they wanted.
        texts: what each of them printed, if it failed.
    """

    def __init__(self, folder: Path, tier: Tier) -> None:
        self._secret = secrets.token_hex()
        self._mark = secrets.token_hex(7)  # as long as a process's name may be
        self._told: dict[str, str] = {}
        self._home = folder / "home"
        (self._home / ".ssh").mkdir(parents=True)
        (self._home / ".ssh" / "id_canary").write_text(self._secret)
        course = Course(folder / "lab")
        self._lab = course.root
        for name in ("renderer", "card"):
            (self._lab / TARGETS[name]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(COURSE / TARGETS[name], self._lab / TARGETS[name])
        for place, act in self._files():
            if not place.exists() and place.suffix == ".txt":
                place.write_text(f"for {act}\n")
                os.utime(place, (2_000, 2_000))
        before = {place: self._state(place) for place, _ in self._files()}
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._write(course, server.getsockname()[1])
            threading.Thread(target=self._listen, args=(server,), daemon=True).start()
            result = course.run(
                f"--isolation={tier}",
                f"--budget={LIMIT}",
                HOME=str(self._home),
                GRADER_TOKEN=self._secret,
            )
        assert result.report is not None, result.text
        assert result.report["isolation"] == tier
        assert result.report["complete"], result.text
        after = {place: self._state(place) for place, _ in self._files()}
        self.succeeded = {
            name
            for name, act in ACTS.items()
            if (act["sees"] == "told" and self._is_told(name))
            or (act["sees"] == "marked" and (self._home / name).exists())
            or (act["sees"] == "changed" and before[self._place(name)] != after[self._place(name)])
            or (act["sees"] == "left" and self._end_marked())
        }
        for place, _ in self._files():
            if place.is_relative_to("/dev/shm"):
                place.unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        """Return the file by which the success of an attack is seen."""
        root, _, inner = str(ACTS[name]["file"]).partition("/")
        return {"lab": self._lab, "home": self._home, "shm": Path("/dev/shm", name)}[root] / inner

    def _files(self) -> list[tuple[Path, str]]:
        return [(self._place(name), name) for name, act in ACTS.items() if "file" in act]

    @staticmethod
    def _state(path: Path) -> object:
        try:
            there = path.stat()
        except OSError:
            return None
        return path.read_bytes(), there.st_mode, there.st_mtime

    def _write(self, course: Course, port: int) -> None:
        for number, (name, act) in enumerate(ACTS.items()):
            given = {"lab": str(self._lab), "home": str(self._home), "port": port, "name": name}
            given["mark"] = self._mark
            prelude = PRELUDE.format(targets=json.dumps(TARGETS), given=json.dumps(given))
            course.task(f"task_{number}_1", CHECK, prelude + act["code"])

    def _listen(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile(encoding="utf-8", errors="replace") as said:
                for line in said:
                    name, _, text = line.strip().partition("=")
                    self._told[name] = text

    def _end_marked(self) -> bool:
        """End the processes that bear the mark; return whether there were any."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if (place / "comm").read_text().strip() == self._mark:
                    found.append(int(place.name))
            except OSError:  # it has ended meanwhile
                continue
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return bool(found)

    def _is_told(self, name: str) -> bool:
        wants_the_secret = "secret" in name or "environment" in name
        return name in self._told and (not wants_the_secret or self._told[name] == self._secret)


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> dict[Tier, Ground]:
    return {
        tier: Ground(tmp_path_factory.mktemp(tier), tier)
        for tier in TIERS
        if tier == "none" or tiers.problem(tier) is None
    }


@pytest.mark.parametrize("name", ACTS)
def test_it_succeeds_without_a_tier(name: str, grounds: dict[Tier, Ground]) -> None:
    """An attack that fails for a reason of its own proves nothing."""
    if ACTS[name].get("as_root") and os.geteuid() != 0:
        pytest.skip("only root may do this to its own processes everywhere")
    assert name in grounds["none"].succeeded


@pytest.mark.parametrize("tier", TIERS[1:])
@pytest.mark.parametrize("name", ACTS)
def test_it_fails_in_a_tier(name: str, tier: Tier, grounds: dict[Tier, Ground]) -> None:
    if TIERS.index(tier) < TIERS.index(ACTS[name]["stops"]):
        pytest.skip(f"stopped by {ACTS[name]['stops']}")
    tiers.require(tier)
    assert name not in grounds[tier].succeeded


def test_the_table_is_right() -> None:
    assert TARGETS["host_module"] == program.__name__
    assert hasattr(program, TARGETS["host_class"])
    assert TARGETS["package"] == own_modules.PACKAGE_NAME
    assert (COURSE / TARGETS["renderer"]).is_file()
    assert (COURSE / TARGETS["card"]).is_file()
    source = Path(workspace.__file__).read_text(encoding="utf-8")
    assert f'prefix="{TARGETS["workspace_prefix"]}"' in source
