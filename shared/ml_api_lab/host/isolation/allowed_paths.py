"""Which files a submission may read (Python, packages, what programs need), and write to."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ml_api_lab.host.isolation import landlock

_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

# Of /etc only what programs and their libraries look up: much else there is secret.
_SETTINGS = (
    "ld.so.cache", "ld.so.preload", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime",
    "timezone", "locale.alias", "locale.conf", "default/locale", "mime.types", "magic", "passwd",
    "group", "nsswitch.conf", "hosts", "host.conf", "resolv.conf", "gai.conf", "services",
    "protocols", "os-release", "lsb-release", "debian_version", "ssl/certs", "ssl/openssl.cnf",
    "pki/tls/certs", "pki/tls/openssl.cnf", "pki/ca-trust/extracted", "ca-certificates",
    "crypto-policies", "python3", "inputrc", "terminfo", "machine-info",
)  # fmt: skip
_FACTS = (
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime",
    "/proc/version", "/proc/filesystems", "/proc/sys/kernel", "/proc/sys/vm",
    "/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm",
)  # fmt: skip
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SHARED_MEMORY = "/dev/shm"

_PACKAGE = Path(__file__).resolve().parents[2]
_OURS = ("host", "protocol", "__init__.py")
"""What the host itself is made of: nothing in it is secret."""


def allowed(course: str, workspace: str) -> Iterator[tuple[str, int]]:
    """Yield the paths that a submission may use, each with what it may do there and below.

    Args:
        course: the root of the course, which is not to be read.
        workspace: the folder that is the submission's own.
    """
    yield from allowed_to_one(workspace)
    yield from allowed_to_all(course)


def allowed_to_one(workspace: str) -> Iterator[tuple[str, int]]:
    """Yield the paths that lead elsewhere for each submission."""
    yield workspace, landlock.ALL
    # Whoever looks.
    yield "/proc/self", landlock.READ


def allowed_to_all(course: str) -> Iterator[tuple[str, int]]:
    """Yield the paths that are the same for all submissions."""
    for path in _readable(course):
        yield path, landlock.READ
    # Where semaphores and other shared memory are made. Its names cannot be listed, so that only
    # who knows one can use what it names, such as another submission's workspace.
    yield _SHARED_MEMORY, landlock.SHARE
    for path in _DEVICES:
        yield path, landlock.USE
    for path in _FACTS:
        yield path, landlock.READ
    yield str(_PACKAGE), landlock.READ_DIR


@cache
def _readable(course: str) -> tuple[str, ...]:
    """Return what may be read, the same for all hosts of a pool."""
    course = os.path.realpath(course)
    hidden = {course, os.path.realpath(os.path.expanduser("~"))}
    found = [os.path.realpath(each) for each in _environments()]
    # Where Python looks for modules, but not if much else would be seen there.
    for path in map(os.path.realpath, sys.path):
        if not _leads_to(course, path) and not any(_leads_to(path, each) for each in hidden):
            found.append(path)
    found += [f"/etc/{name}" for name in _SETTINGS]
    found += [str(_PACKAGE / name) for name in _OURS]
    parts = dict.fromkeys(part for path in found for part in _without(path, hidden))
    there = [part for part in parts if os.path.exists(part)]
    # What lies below another adds nothing, and each costs every host a little.
    return tuple(
        part for part in there if not any(part != each and _leads_to(each, part) for each in there)
    )


def _environments() -> Iterator[str]:
    """Yield the folders of this Python, of its environment and of the system's programs."""
    yield from (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    yield from (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "scripts"))
    yield os.path.dirname(os.path.realpath(sys.executable))
    if library := sysconfig.get_config_var("LIBDIR"):
        yield library
    if site.ENABLE_USER_SITE:
        yield os.path.join(site.getuserbase(), "bin")
    yield from _SYSTEM_FOLDERS


def _without(path: str, hidden: set[str]) -> Iterator[str]:
    """Yield the path, or if it leads to what is hidden, the parts of it that do not."""
    if path in hidden:
        return
    if not any(_leads_to(path, each) for each in hidden):
        yield path
        return
    for name in os.listdir(path):
        yield from _without(os.path.join(path, name), hidden)


def _leads_to(path: str, other: str) -> bool:
    """Whether one path is the other's, or of a folder above it."""
    return path == other or other.startswith(path.rstrip("/") + "/")
