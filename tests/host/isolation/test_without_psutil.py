"""Where psutil is installed and refused, joblib's workers do without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from ml_api_lab.host.isolation import without_psutil

without_psutil.install()
from joblib.externals.loky import process_executor
from joblib.externals.loky.backend import utils
import psutil

print(process_executor._USE_PSUTIL, utils.psutil, psutil.Process)
without_psutil.forget()
print("psutil" in sys.modules)
"""


def test_joblib_does_not_ask_it_and_a_spare_does_not_find_it(tmp_path: Path) -> None:
    (tmp_path / "psutil.py").write_text("Process = 'asked'\n")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines() == ["False None asked", "False"], ran.stderr
