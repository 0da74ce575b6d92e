"""Whether the Python that runs the lab has what the lab needs."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from ml_api_lab.errors import WrongEnvironment
from ml_api_lab.session import preflight
from tests.proofs.prover import COURSE
from tests.support.toy import Course
from tests.support.toy_tasks import ONE_CHECK, RIGHT


def test_this_python_has_all_that_the_lab_needs() -> None:
    preflight.require_dependencies(COURSE)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    needed = ["no-such.package>=1", "pytest>=8", "nor_this[extra]==2; python_version > '3'"]
    project = f"[project]\nname = 'x'\nversion = '1'\ndependencies = {needed}\n"
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    with pytest.raises(WrongEnvironment, match=r" has no no-such\.package, nor_this; ") as raised:
        preflight.require_dependencies(tmp_path)
    assert str(raised.value).startswith(sys.executable)
    assert str(raised.value).endswith(f'python -m pip install -e "{tmp_path}"')


@pytest.mark.parametrize("content", [None, "[project", "[tool.pytest]\n"])
def test_a_project_that_names_nothing_needs_nothing(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content, encoding="utf-8")
    preflight.require_dependencies(tmp_path)


def test_a_run_in_the_wrong_environment_is_refused(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK, RIGHT)
    settings = course.root / "pyproject.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("dependencies = [", 'dependencies = [\n    "no-such-package",', 1),
        encoding="utf-8",
    )
    result = course.run()
    assert (result.status, result.report) == (4, None)
    assert "has no no-such-package; activate the environment" in result.text
    assert "Traceback" not in result.text


def test_a_machine_whose_processes_cannot_connect_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    preflight.require_loopback()

    def unreachable(*_: object) -> NoReturn:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(WrongEnvironment, match=r"^Nothing can connect to 127\.0\.0\.1 here \(Netw"):
        preflight.require_loopback()
