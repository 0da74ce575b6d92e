"""Looking further after a failure: programs beside the submission, and what no card shows.

Such a program runs in the submission's own process, which could tell anything: what it reports
goes into a sentence, and decides nothing.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from ml_api_lab.check import SubmissionFault, checker

if TYPE_CHECKING:
    from ml_api_lab.check import Task

T = TypeVar("T")


async def reports_of(
    task: Task,
    script: Path,
    kind: type[T],
    env: Mapping[str, str] | None = None,
    **constants: str,
) -> list[T]:
    """Run a program in the workspace; return what it has reported until its end.

    Args:
        script: it prints each report as a line of JSON behind its constant `MARK`.
        kind: the data class of a report; what does not fit its fields is no report.
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
        return list(_fitting((each.removeprefix(mark) for each in told), kind))
    return []


def _fitting(texts: Iterable[str], kind: type[T]) -> Iterator[T]:
    fields = {name: checker(hint) for name, hint in get_type_hints(kind).items()}
    for text in texts:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(content, dict) or content.keys() != fields.keys():
            continue
        if all(fits(content[name]) for name, fits in fields.items()):
            yield kind(**content)


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
