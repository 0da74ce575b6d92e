"""Views of files: a lab that lies among temporary files is still not to be written to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE
from tests.support import tiers
from tests.support.toy import LIMIT, Course, own_environment

CHECK = '''
@points(10, hint="?")
async def test_it(task: Task):
    """It is told what the script printed."""
    raise AssertionError((await task.run()).output.replace("\\n", ", "))
'''

TRIES = """
import os, sys
import ml_api_lab.host.program as program

package = os.path.dirname(os.path.dirname(os.path.abspath(program.__file__)))
assert package.startswith("/tmp/"), package
for what, act in {
    "changes": lambda: open(program.__file__, "a"),
    "adds": lambda: open(os.path.join(os.path.dirname(program.__file__), "more.py"), "w"),
    "lists": lambda: os.listdir(os.path.dirname(os.path.dirname(package))),
    "writes": lambda: open(os.path.join(os.path.dirname(package), "more.py"), "w"),
}.items():
    try:
        act()
    except OSError as error:
        print(what, "refused")
    else:
        print(what, "done")
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in /tmp, whatever TMPDIR says."""
    folder = Path(tempfile.mkdtemp(prefix="placed-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def test_a_lab_among_temporary_files(place: Path) -> None:
    tiers.require("namespace")
    course = Course(place / "lab")
    course.task("task_0_1", CHECK, TRIES)
    shutil.copytree(
        COURSE / "shared" / "ml_api_lab",
        course.root / "shared" / "ml_api_lab",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    report = place / "grade.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--isolation=namespace", f"--report=json={report}"],
        cwd=course.root,
        env=own_environment(HOME=os.environ.get("HOME", "/")),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    ((check,),) = [task["checks"] for task in json.loads(report.read_text())["tasks"]]
    assert check["message"] == "changes refused, adds refused, lists refused, writes refused"
