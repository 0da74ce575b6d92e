"""What a submission can import: its own folder and what is installed, nothing of the repository."""

from __future__ import annotations

from pathlib import Path

from tests.proofs.prover import Prover

BORROWED = """
import os

import uvicorn
from solutions.task_1_3.main import app

if __name__ == "__main__":
    uvicorn.run(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
"""


def test_the_solution_cannot_be_imported(prover: Prover, tmp_path: Path) -> None:
    """Neither in a host nor in a real process, from any of a task's checks."""
    folder = tmp_path / "task_1_3"
    folder.mkdir()
    (folder / "main.py").write_text(BORROWED, encoding="utf-8")
    verdicts = prover.grade(tmp_path, "task_1_3")
    assert [name for name, each in verdicts.items() if each.message is None] == []
    assert {each.on_the_wall_clock for each in verdicts.values()} == {False, True}
    without = [n for n, each in verdicts.items() if "No module named 'solutions'" not in each.card]
    assert without == []
