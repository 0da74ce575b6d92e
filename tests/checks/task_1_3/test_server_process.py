"""What a server says of itself, and whose word is taken for it."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checks.task_1_3.server_process import announced_address, ended, judged
from ml_api_lab.check import Conclusive, Hinted, Task
from tests.proofs.prover import COURSE, Prover

IMPORTED = "test_imported_it_starts_nothing"
SERVES = "test_it_serves_on_the_port_of_the_environment"
INTERRUPT = "test_an_interrupt_ends_it"

# It is cut off while it shuts down, as often as it is told to be.
CUT_OFF = """
import os, pathlib, uvicorn

class Server(uvicorn.Server):
    async def shutdown(self, sockets=None):
        cuts = pathlib.Path("cuts")
        left = int(cuts.read_text())
        cuts.write_text(str(left - 1))
        if left > 0:
            self.lifespan.shutdown = cut
        await super().shutdown(sockets)

async def cut():
    os._exit(0)

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    Server(uvicorn.Config(app, os.environ.get("HOST", "127.0.0.1"), port)).run()
"""


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (
            "INFO: Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
            ("127.0.0.1", 8000),
        ),
        ("Uvicorn running on \x1b[1mhttp://127.0.0.1:8000\x1b[0m", ("127.0.0.1", 8000)),
        ("running on " + "http://" * 140_000, None),
        ("running on " * 90_000, None),
    ],
)
def test_where_it_says_that_it_runs(printed: str, found: tuple[str, int] | None) -> None:
    assert announced_address(printed) == found


@pytest.mark.parametrize(
    ("printed", "status", "sentence"),
    [
        (
            "Traceback (most recent call last):\n"
            '  File "/home/ann/main.py", line 7, in <module>\n'
            "    uvicorn.run(app, port=port)\n"
            '  File "/lib/site-packages/uvicorn/main.py", line 626, in run\n'
            "    sock = config.bind_socket()\n"
            "TypeError: no integer",
            1,
            "python main.py raised TypeError: no integer (line 7: uvicorn.run(app, port=port))",
        ),
        ("ready", 0, "and uvicorn has not said that it started"),
        ("INFO:     Started server process [7]", 3, "http://127.0.0.1:8000; right is"),
    ],
)
def test_what_a_program_that_ended_is_told(printed: str, status: int, sentence: str) -> None:
    process = SimpleNamespace(output=printed, status=status)
    assert sentence in str(ended(process, 8000))  # type: ignore[arg-type]  # as much as is asked


def test_what_one_check_has_seen_serve_is_started_for_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The one that checks use now: another test may have loaded the course anew.
    server_process = importlib.import_module("checks.task_1_3.server_process")
    solution = COURSE / "solutions"
    other = tmp_path / "other"
    shutil.copytree(solution / "task_1_3", other / "task_1_3")
    with (other / "task_1_3" / "main.py").open("a", encoding="utf-8") as file:
        file.write("\n# other\n")
    started: list[str] = []
    start = server_process.started

    def noted(task: Task, env: Mapping[str, str], *command: tuple[str, ...]) -> Any:
        started.append(task.files.text("main.py").splitlines()[-1])
        return start(task, env, *command)

    monkeypatch.setattr(server_process, "_have_served", set())
    monkeypatch.setattr(server_process, "started", noted)
    prover = Prover()
    try:
        for root, check in ((solution, SERVES), (solution, IMPORTED), (other, IMPORTED)):
            assert prover.grade(root, "task_1_3", check)[check].message is None
    finally:
        prover.close()
    assert len(started) == 2
    assert started[1] == "# other"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell it")
@pytest.mark.parametrize(
    ("looks", "is_sure"),
    [([False] * 3, True), ([True], False), ([False, False, True], False)],
    ids=["it waits", "it computes", "it computes again"],
)
@pytest.mark.parametrize(
    "error", [AssertionError("It still runs."), Hinted("It went on.", "What does it do?")]
)
async def test_a_server_that_waits_and_does_not_end_is_in_no_doubt(
    error: AssertionError, looks: list[bool], is_sure: bool
) -> None:
    left = list(looks)
    server = SimpleNamespace(is_at_work=lambda: left.pop(0))
    found = await judged(server, error)  # type: ignore[arg-type]  # as much as is asked
    assert isinstance(found, Conclusive) == is_sure
    assert str(found) == str(error)
    assert getattr(found, "hint", None) == getattr(error, "hint", None)
    assert left == []


@pytest.mark.parametrize(("cuts", "passes"), [(0, True), (2, True), (3, False)])
def test_a_server_that_is_cut_off_while_it_shuts_down_has_another_try(
    cuts: int, passes: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "task_1_3"
    shutil.copytree(COURSE / "solutions" / "task_1_3", folder)
    source = (folder / "main.py").read_text(encoding="utf-8")
    app, _, _ = source.partition('if __name__ == "__main__":')
    (folder / "main.py").write_text(app + CUT_OFF, encoding="utf-8")
    (folder / "cuts").write_text(str(cuts))
    prover = Prover()
    try:
        found = prover.grade(tmp_path, "task_1_3", INTERRUPT)[INTERRUPT]
    finally:
        prover.close()
    assert (found.message is None) == passes
    if not passes:
        assert "the application's lifespan was not shut down" in str(found.message)
        assert found.found is not None
        assert found.found.transcript is not None
        printed = [line.text for line in found.found.transcript.lines]
        assert sum("Shutting down" in text for text in printed) == 1
