"""Keys of the cache of a class: equal work has equal keys, and is done once.

The verdicts themselves are kept by `journal.journal`.

A key is a digest of all that makes a verdict: the submission's files, the course's checks, the lab
itself, the environment, and how it is graded. Whether a verdict may be used again at all is said by
`ml_api_lab.grading.verdict.Verdict.is_conclusive`; who waits for whose verdict, by `planner`.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from importlib import metadata
from pathlib import Path

import ml_api_lab
from ml_api_class.verdict import FORMAT
from ml_api_lab.protocol.confinement import Tier

_ABOUT_CHECKS = {"README.md", "proven.json", "stub.json"}
"""What lies beside checks and changes no verdict."""

_SHARED_CHECKS = "support"


@dataclass(frozen=True)
class Origin:
    """What one task's verdicts come from, beside the submission's files.

    Attributes:
        checks: a digest of its checks and of what all checks share.
        harness: a digest of the lab.
        environment: a digest of Python, the machine's kind and the installed packages.
        tier: how submissions are confined.
        clock: the clock on which they run, `lab` or `real`.
        budget: the real time that a check may take, in seconds.
        seed: what the draws begin with.
        memory: how much memory a process of a submission may have, in MB; 0 for no limit.
    """

    task: str
    checks: str
    harness: str
    environment: str
    tier: Tier
    clock: str
    budget: float
    seed: int
    memory: int

    def key(self, files: str) -> str:
        """Return the key of the verdict on files with that digest."""
        text = "\0".join([str(FORMAT), files, *map(str, astuple(self))])
        return hashlib.sha256(text.encode()).hexdigest()


def grade_key(keys: Iterable[str]) -> str:
    """Return the key of a whole grade, of the keys of its tasks."""
    return hashlib.sha256("\0".join(keys).encode()).hexdigest()


def of_checks(course: Path, task: str) -> str:
    """Return the digest of one task's checks, and of all that they share."""
    checks = course / "checks"
    shared = [path for path in checks.glob("*") if path.is_file()]
    folders = [checks / task, checks / _SHARED_CHECKS]
    inside = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return _of_files(checks, [path for path in (*shared, *inside) if _counts(path)])


def of_harness() -> str:
    """Return the digest of the lab that is installed."""
    package = Path(ml_api_lab.__file__).parent
    return _of_files(package, [path for path in package.rglob("*") if _counts(path)])


def of_environment() -> str:
    """Return the digest of Python, the machine's kind and the installed packages."""
    packages = sorted(
        f"{each.metadata['Name']}=={each.version}" for each in metadata.distributions()
    )
    told = [sys.version, sys.platform, platform.machine(), *packages]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _counts(path: Path) -> bool:
    is_source = "__pycache__" not in path.parts and path.name not in _ABOUT_CHECKS
    return is_source and path.is_file()


def _of_files(root: Path, paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        data = path.read_bytes()
        found.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        found.update(data)
    return found.hexdigest()
