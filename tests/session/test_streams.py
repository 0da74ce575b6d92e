"""The standard streams of a run: those that its caller has closed are opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.toy import LIMIT, ROOT

SHOWS = """
import os, socket, sys
sys.path.insert(0, {shared!r})
from ml_api_lab.session import streams
streams.open_closed()
told = [os.path.samestat(os.fstat(number), os.stat(os.devnull)) for number in range(3)]
told += [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
told += [socket.socket().fileno() > 2, sys.stdin.read()]
open({file!r}, "w").write(repr(told))
"""


@pytest.mark.skipif(os.name != "posix", reason="a shell closes them")
@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_opened(closed: str, tmp_path: Path) -> None:
    file = tmp_path / "told"
    source = SHOWS.format(shared=str(ROOT / "shared"), file=str(file))
    subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        capture_output=True,
        check=True,
        timeout=LIMIT,
    )
    opened = [sign in closed.split() for sign in ("<&-", ">&-", "2>&-")]
    # An empty pipe reads as nothing, as the null device does.
    assert file.read_text() == repr([*opened, False, False, False, True, ""])
