"""The built package, installed into an environment of its own: it grades a course, and finds one.

Slow, and it asks a package index for what builds a wheel: `tox -e wheel` runs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from ml_api_lab.version import VERSION
from tests.support.toy import LIMIT, ROOT, own_environment
from tests.support.toy_tasks import two_tasks

BIN = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel; return the folder of the environment's programs."""
    folder = tmp_path_factory.mktemp("wheel")
    source, wheels, environment = (folder / each for each in ("source", "wheels", "environment"))
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "shared", source / "shared", ignore=shutil.ignore_patterns("__pycache__")
    )
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(wheels), str(source)], check=True)
    venv.create(environment, with_pip=False)
    python = environment / BIN / "python"
    [wheel] = wheels.glob("*.whl")
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    # The dependencies are those of this environment. The lab in it, which is editable, is not seen
    # from there: a path in a .pth file has none of its own read.
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / BIN


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**own_environment(), "PYTHONPATH": ""}
    return subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def test_outside_a_course_it_says_where_to_go(installed: Path, tmp_path: Path) -> None:
    said = run([installed / "lab"], tmp_path)
    assert (said.returncode, said.stdout) == (4, "")
    assert said.stderr == (
        f"{tmp_path.resolve()} is not in a course: neither it nor a folder above it has "
        "checks/syllabus.toml; change into the folder that you got the lab in.\n"
    )
    said = run([installed / "lab", "--version"], tmp_path)
    assert said.stdout == f"ml-api-lab {VERSION}\n"


def test_it_grades_a_course_that_has_no_harness(installed: Path, tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course").root
    for command in (["lab", "run", "0.1"], ["python", "-m", "pytest", "checks/task_0_1"]):
        said = run([installed / command[0], *command[1:]], course)
        assert said.returncode == 1, said.stdout + said.stderr
        assert "It printed 'bye'; 'hello' is right." in said.stdout
    said = run([installed / "python", "-m", "pytest", "checks", "--tree=solutions"], course)
    assert said.returncode == 0, said.stdout + said.stderr
    where = "import ml_api_lab; print(ml_api_lab.__file__)"
    assert str(installed.parent) in run([installed / "python", "-c", where], course).stdout
