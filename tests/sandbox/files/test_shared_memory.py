"""The sweep of shared memory: what ended processes have left there, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_api_lab.sandbox.files import shared_memory
from ml_api_lab.sandbox.files.shared_memory import sweep_shared_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a folder")


def test_only_what_ended_processes_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    ended, alive = process.pid, os.getpid()
    left = tmp_path / f"joblib_memmapping_folder_{ended}_ab_cd"
    left.mkdir()
    (left / "array.pkl").write_bytes(b"\0")
    (tmp_path / f"sem.loky-{ended}-ab").touch()
    kept = [f"sem.loky-{alive}-ab", "sem.other", f"sem.loky-{ended}-old", "sem.loky-9" + "9" * 30]
    for name in (*kept[:3], kept[3] + "-ab"):
        (tmp_path / name).touch()
    os.utime(tmp_path / kept[2], (0, 0))
    monkeypatch.setattr(shared_memory, "FOLDER", str(tmp_path))
    sweep_shared_memory()
    assert sorted(os.listdir(tmp_path)) == sorted([*kept[:3], kept[3] + "-ab"])


def test_where_there_is_no_such_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", str(tmp_path / "nowhere"))
    sweep_shared_memory()
    assert os.listdir(tmp_path) == []
