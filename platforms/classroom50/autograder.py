"""The entry point of a Classroom 50 autograder: it grades the folder that it is started in.

It lies in `CLASSROOM/autograders/ASSIGNMENT/`, beside `checks/`, `shared/`, `pyproject.toml`,
`constraints.txt`, `README.md` and `LICENSE` of the lab, and leaves `result.json` in the student's
folder. It exits with 0 for every grade; anything else tells Classroom 50 that no grade was made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

LAB = Path(__file__).resolve().parent
LIMIT = 15 * 60
PARTING = 60
"""How long it may take to end and to write the result, in seconds."""
GRADED = (0, 1, 2)


def install(folder: Path) -> str:
    """Install the lab in an environment of its own; return that environment's interpreter."""
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    options = ["--quiet", "--constraint", "constraints.txt", "--editable", "."]
    # The lab is the working directory throughout: Python may import what lies in it.
    subprocess.run([python, "-m", "pip", "install", *options], cwd=LAB, check=True)
    return python


def grade(python: str, submission: Path) -> int:
    """Grade a student's folder; return the exit status for Classroom 50."""
    result = submission / "result.json"
    result.unlink(missing_ok=True)  # a student may have committed one
    command = [python, "-m", "pytest", "-c", "pyproject.toml", "checks"]
    command += [f"--tree={submission}", "--isolation=best", f"--report=classroom50={result}"]
    process = subprocess.Popen(command, cwd=LAB)
    try:
        status = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            status = process.wait(PARTING)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    return 0 if status in GRADED else status


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as environment:
        sys.exit(grade(install(Path(environment)), Path.cwd()))
