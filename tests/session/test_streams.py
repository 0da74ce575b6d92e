"""The standard streams of a run: those that are closed are opened, and no reader is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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


PRINTS = """
import os, sys
sys.path.insert(0, {shared!r})
from ml_api_lab.session import streams
streams.outlive_readers()
streams.outlive_readers()
for number in range(3):
    print("x" * 9_000, number)
    print("y", number, file=sys.stderr)
open({file!r}, "w").write("at the end")
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full device is Linux's")
@pytest.mark.parametrize("place", ["> /dev/full", "2> /dev/full", "2>&1 > /dev/full", "| true"])
def test_what_nobody_takes_is_lost_alone(place: str, tmp_path: Path) -> None:
    file = tmp_path / "told"
    source = PRINTS.format(shared=str(ROOT / "shared"), file=str(file))
    shell = f'{{ "$@"; echo $? > "$0"; }} {place}'
    ran = subprocess.run(
        ["sh", "-c", shell, str(tmp_path / "status"), sys.executable, "-c", source],
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    assert (tmp_path / "status").read_text() == "0\n"
    assert file.read_text() == "at the end"
    assert b"Error" not in ran.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes that do not block are POSIX's")
def test_a_slow_reader_gets_the_end(tmp_path: Path) -> None:
    """Some runners give a pipe that does not block, and read it now and then."""
    file = tmp_path / "told"
    source = PRINTS.format(shared=str(ROOT / "shared"), file=str(file)).replace("3)", "30)")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with subprocess.Popen([sys.executable, "-c", source], stdout=writer) as process:
        os.close(writer)
        time.sleep(1)
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read()
        assert process.wait(LIMIT) == 0
    assert said.endswith(b" 29\n")
