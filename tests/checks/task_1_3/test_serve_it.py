"""The interrupt of a server: what a busy machine can do to it is no fault of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE, Prover

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
        message = prover.grade(tmp_path, "task_1_3", INTERRUPT)[INTERRUPT].message
    finally:
        prover.close()
    assert (message is None) == passes
    if not passes:
        assert "the application's lifespan was not shut down" in str(message)
