"""Looking further after a failure: programs beside the submission, and what no card shows.

Such a program runs in the submission's own process, which could tell anything: what it reports
goes into a sentence, and decides nothing.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_api_lab.check import SubmissionFault

if TYPE_CHECKING:
    from ml_api_lab.check import Task


async def reports_of(
    task: Task, script: Path, env: Mapping[str, str] | None = None, **constants: str
) -> list[Any]:
    """Run a program in the workspace; return what it has reported until its end.

    Args:
        script: it prints each report as a line of JSON behind its constant `MARK`.
        env: variables of the process.
        constants: what stands for other constants of the program, which are "" in its text.
    """
    mark = f"{task.draw.getrandbits(32):08x} "
    source = script.read_text(encoding="utf-8")
    for name, value in {"MARK": mark, **constants}.items():
        source = source.replace(f'\n{name} = ""\n', f'\n{name} = "{value}"\n')
    task.files.write(script.name, source)
    with unshown(task), contextlib.suppress(SubmissionFault):
        run = await task.run(script.name, env, may_fail=True)
        told = [line.text for line in run.lines if line.text.startswith(mark)]
        return [json.loads(each.removeprefix(mark)) for each in told]
    return []


@contextlib.contextmanager
def unshown(task: Task) -> Iterator[None]:
    """Leave out of the card what happens within: questions that follow a failure."""
    transcript = task.transcript
    records: tuple[list[Any], ...] = (
        transcript.entries,
        transcript.requests,
        transcript.lines,
        transcript.raised,
    )
    shown = [len(each) for each in records]
    try:
        yield
    finally:
        for record, length in zip(records, shown, strict=True):
            del record[length:]
