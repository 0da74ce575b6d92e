"""The interpreter that a host runs in: how it is started, in which environment, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

_PACKAGE_PARENT = Path(__file__).resolve().parents[3]
"""Where the lab's package lies: on the path of a host, and on that of no submission."""

_EXIT_TIMEOUT_SECONDS = 20.0

# One thread for every numeric library: forking a process whose BLAS or OpenMP threads have started
# can deadlock the fork.
_SINGLE_THREADED = {
    f"{library}_THREADS": "1"
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM")
}


_KEPT_PYTHON_VARIABLES = {
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONPATH",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PYTHONUSERBASE",
}
"""Where Python finds modules. All others change what code does: warnings, assertions, coverage."""


def _environment() -> dict[str, str]:
    """Return the environment of a host; a submission gets one of its own later."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_PYTHON_VARIABLES
        or not name.startswith(("PYTHON", "COVERAGE_", "COV_CORE_"))
    }
    path = [str(_PACKAGE_PARENT), *filter(None, [kept.get("PYTHONPATH")])]
    fixed = {"PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1", "TZ": "UTC"}
    return {**kept, **_SINGLE_THREADED, **fixed}


def start_interpreter(told: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start an interpreter that runs the host's package, as the leader of a group of its own.

    Args:
        told: the arguments of the package.
        log: where it prints to until it runs a submission.
    """
    # -P: what lies in the working directory is no module of the host's.
    command = [sys.executable, "-P", "-m", "ml_api_lab.host", *told]
    return subprocess.Popen(
        command,
        cwd=_PACKAGE_PARENT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def kill_process_tree(process: subprocess.Popen[bytes]) -> int:
    """Kill a process and all that it started; return its exit status."""
    status = process.poll()
    if os.name == "posix":
        kill_group(process.pid)
    elif status is None:
        tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(tree, capture_output=True, check=False)
    return process.wait(_EXIT_TIMEOUT_SECONDS)


def kill_group(pid: int) -> None:
    """Kill the group of processes that this process leads; it may be gone (POSIX)."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
