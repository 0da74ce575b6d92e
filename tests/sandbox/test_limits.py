"""What a submission may use: whoever goes beyond is ended, and told why."""

from __future__ import annotations

import os
import time

import pytest

from ml_api_lab.check import SubmissionFault
from ml_api_lab.sandbox import limits
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.faults import SPEAK_ON_LINK
from tests.support.toy import Scenes

SPIN = "\nwhile True: pass\n"


def said(scripts: Scenes, source: str) -> str:
    """Return what is said of a script that never ends by itself."""

    async def scene(task: Task, clock: Clock) -> None:
        await task.run()

    with pytest.raises(SubmissionFault) as raised:
        scripts.play(source + SPIN, scene)
    return str(raised.value)


def test_a_budget_is_used_up_when_its_end_is_reached() -> None:
    clock = Clock(budget=20)
    assert not limits.has_timed_out(clock)  # it has not begun
    clock.budget_end = time.monotonic() + 1000
    assert not limits.has_timed_out(clock)
    clock.budget_end = time.monotonic()
    assert limits.has_timed_out(clock)


def test_what_is_printed(scripts: Scenes) -> None:
    source = "import os\nfor _ in range(33): os.write(1, b'x\\n' * 2**19)"
    assert said(scripts, source) == (
        "The script main.py printed more than 32 MB, and was ended for it."
    )


def test_what_is_sent_counts_as_what_it_takes_in_memory(scripts: Scenes) -> None:
    """A value of three bytes would otherwise take twenty times as much of the checks' memory."""
    source = (
        "import json, os, socket\n"
        f"{SPEAK_ON_LINK}\n"
        "rows = b','.join([b'[]'] * 600_000)\n"
        'told = b\'{"kind":"askmodel","number":1,"token":"","rows":[\' + rows + b\']}\'\n'
        "link().sendall(frame(told))"
    )
    assert said(scripts, source) == (
        "The script main.py sent more than 64 MB, and was ended for it."
    )


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="this system does not tell what is free")
def test_what_is_written_in_all(scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is small, and all of them together are not."""
    monkeypatch.setattr(limits, "WRITTEN_LIMIT_BYTES", 16 * 2**20)
    source = "for n in range(20): open(f'file-{n}', 'wb').write(bytes(2**20))"
    assert said(scripts, source) == (
        "The script main.py wrote more than 16 MB, and was ended for it."
    )


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="this system does not tell what is free")
def test_how_many_files_are_written(scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITTEN_LIMIT_FILES", 200)
    source = "import os\nfor n in range(300): os.mkdir(f'folder-{n}')"
    assert said(scripts, source) == (
        "The script main.py wrote more than 200 files, and was ended for it."
    )


def test_a_file_with_a_hole_takes_no_room(scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITTEN_LIMIT_BYTES", 2**20)

    async def scene(task: Task, clock: Clock) -> int:
        return (await task.run()).status

    source = "import time\nopen('hole', 'wb').truncate(2**27)\ntime.sleep(1)"
    assert scripts.play(source, scene) == 0


def test_what_one_process_prints_does_not_crowd_out_another(scripts: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> tuple[int, list[str], bool]:
        first = await task.run()
        second = await task.load("main.py")
        complete = task.transcript.has_all_output
        return len(first.lines), [line.text for line in second.lines], complete

    source = "if __name__ == '__main__':\n    print('x\\n' * 9_999)\nelse:\n    print('imported')"
    assert scripts.play(source, scene) == (2_000, ["imported"], False)


def test_a_line_that_is_cut_is_told(scripts: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> tuple[int, int]:
        run = await task.run()
        return len(run.lines[0].text), task.transcript.unread

    assert scripts.play("print('x' * 10_007)", scene) == (10_000, 7)


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="this system does not tell what is free")
def test_what_a_real_process_writes(scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITTEN_LIMIT_BYTES", 16 * 2**20)

    async def scene(task: Task, clock: Clock) -> list[str]:
        process = task.start(["python", "main.py"])
        assert await process.wait_for_exit(60) == -9
        return [str(entry) for _, entry in task.transcript.entries]

    source = "for n in range(20): open(f'file-{n}', 'wb').write(bytes(2**20))" + SPIN
    assert scripts.play(source, scene, clock="real") == [
        "!! The process wrote more than 16 MB, and was ended for it."
    ]
