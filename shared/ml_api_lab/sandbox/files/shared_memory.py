"""What joblib leaves in the system's shared memory when a submission is ended (Linux).

Its workers share semaphores and folders there, which have the number of the process that made them
in their names. That process removes them at its end, but not if it is killed, as all are that a
submission leaves behind.
"""

from __future__ import annotations

import os
import re
import shutil
import time

FOLDER = "/dev/shm"
"""The folder in memory that Linux has for what many processes need for a short time."""

_LEFT = re.compile(r"(?:sem\.loky-|joblib_memmapping_folder_)(\d+)[-_]")
_BEGAN = time.time()
"""When this run began: what is older is not of its submissions."""


def sweep_shared_memory() -> None:
    """Remove what processes of this user have made there since this run began and have left."""
    if not os.path.isdir(FOLDER):
        return
    with os.scandir(FOLDER) as entries:
        left = [each for each in entries if _is_left(each)]
    for entry in left:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
            continue
        try:
            os.unlink(entry.path)
        except OSError:  # somebody else was quicker
            pass


def _is_left(entry: os.DirEntry[str]) -> bool:
    named = _LEFT.match(entry.name)
    if named is None:
        return False
    try:
        facts = entry.stat(follow_symlinks=False)
        if facts.st_uid != os.getuid() or facts.st_mtime < _BEGAN:
            return False
        os.kill(int(named[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is gone by now, or no process has such a number
        pass
    return False
