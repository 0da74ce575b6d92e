"""Which files are shown: what Python needs, and not what lies in, around or beside it."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.host.isolation import allowed_paths, landlock

sysconfig.get_config_vars()  # read from where Python is, before a test says that it is elsewhere


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What is found out once for a pool is not kept from test to test."""
    allowed_paths._readable.cache_clear()
    yield
    allowed_paths._readable.cache_clear()


def is_shown(path: Path, course: Path, right: int = landlock.READ_FILE) -> bool:
    """Whether a path may be used so, by what is allowed for it or a folder above it."""
    real = os.path.realpath(path)
    return any(
        access & right and (real == place or real.startswith(f"{place.rstrip('/')}/"))
        for place, access in allowed_paths.allowed(str(course), "/the/workspace")
    )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a course, an environment, and packages in several places."""
    for name in (
        "home/.ssh/key", "home/.local/lib/python/site-packages/package.py", "home/lab/checks/a.py",
        "home/lab/.venv/lib/package.py", "home/lab/shared/b.py", "opt/python/lib/os.py",
        "opt/python/lab/checks/c.py", "elsewhere/package.py", "home/code/package.py",
    ):  # fmt: skip
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "path", [])
    for name in ("prefix", "exec_prefix", "base_prefix", "base_exec_prefix"):
        monkeypatch.setattr(sys, name, str(tmp_path / "opt" / "python"))
    return tmp_path


def test_secrets_are_not_shown(world: Path) -> None:
    lab = world / "home" / "lab"
    sys.path += [str(world), str(world / "home"), str(lab), str(lab / "shared"), "/"]
    for hidden in ("home/.ssh/key", "home/lab/checks/a.py", "home/lab/shared/b.py"):
        assert not is_shown(world / hidden, lab), hidden
    assert not is_shown(Path("/etc/shadow"), lab)
    assert not is_shown(Path("/proc/1/environ"), lab)


def test_packages_are_shown_wherever_they_are(world: Path) -> None:
    lab = world / "home" / "lab"
    packages = ("home/.local/lib/python/site-packages", "elsewhere", "home/code")
    sys.path += [str(world / each) for each in packages]
    for each in packages:
        assert is_shown(world / each / "package.py", lab)
        assert not is_shown(world / each / "package.py", lab, landlock.WRITE_FILE)


def test_an_environment_may_lie_in_the_course(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = world / "home" / "lab"
    monkeypatch.setattr(sys, "prefix", str(lab / ".venv"))
    assert is_shown(lab / ".venv" / "lib" / "package.py", lab)
    assert not is_shown(lab / "checks" / "a.py", lab)


def test_a_course_may_lie_in_the_folder_of_python(world: Path) -> None:
    lab = world / "opt" / "python" / "lab"
    assert is_shown(world / "opt" / "python" / "lib" / "os.py", lab)
    assert not is_shown(lab / "checks" / "c.py", lab)


def test_of_the_lab_itself_the_host_s_side_is_shown(world: Path) -> None:
    package = Path(allowed_paths.__file__).resolve().parents[2]
    lab = package.parents[1]
    assert is_shown(package / "host" / "program.py", lab)
    assert is_shown(package / "protocol" / "link.py", lab)
    assert not is_shown(package / "grading" / "grade.py", lab)
    assert is_shown(package / "grading", lab, landlock.READ_DIR)


def test_the_workspace_alone_is_written_to(world: Path) -> None:
    written = {
        place
        for place, access in allowed_paths.allowed(str(world), "/the/workspace")
        if access & landlock.MAKE_REG
    }
    assert written == {"/the/workspace", "/dev/shm"}
