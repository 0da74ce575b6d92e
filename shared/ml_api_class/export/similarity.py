"""Submissions laid out for tools that compare programs, with the stub as code to be ignored.

- JPlag takes a folder of submissions, a folder each, and one of base code (`-bc`).
- Dolos takes `info.csv`: `filename` of each file, `full_name` and `id` of whose it is, and
  `ignored`, which is `true` for at most one file of base code.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ml_api_class.errors import ClassError
from ml_api_class.feedback.layouts import file_name
from ml_api_class.feedback.student import is_untouched_task
from ml_api_class.gradebook import neutralised
from ml_api_class.journal.records import Submission
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course import stubs
from ml_api_lab.course.snapshot import Snapshot

Tool = Literal["jplag", "dolos"]
_SUFFIX = ".py"
_SUBMISSIONS = "submissions"


@dataclass(frozen=True)
class LaidOut:
    """The submissions of one task, laid out.

    Attributes:
        number: how many there are.
        untouched: how many were left out, since they are as they were handed out.
        command: runs the tool.
    """

    number: int
    untouched: int
    command: str


def lay_out(
    tool: Tool,
    course: Path,
    task: str,
    submissions: Sequence[Submission],
    packed: Callable[[str], bytes],
    target: Path,
    *,
    with_reference: bool = False,
) -> LaidOut:
    """Lay out the submissions of a task in a folder that is not there yet.

    Args:
        packed: returns the packed files with a digest.
        with_reference: whether what is as in the reference solution is ignored too.

    Raises:
        ClassError: the folder is there, two ids make the same name, or nobody has handed in
            anything that could be compared.
        CourseError: the course keeps no stub.
    """
    if target.exists():
        raise ClassError(f"{target} is there already; name another folder with --to.")
    programs: dict[str, Mapping[str, bytes]] = {}
    who: dict[str, Submission] = {}
    untouched = 0
    for submission in submissions:
        if task not in submission.files:
            continue
        files = TaskFiles.unpack(packed(submission.files[task]))
        if is_untouched_task(course, task, files):
            untouched += 1
            continue
        own = {name: file.data for name, file in files.files.items() if name.endswith(_SUFFIX)}
        if not own:
            continue
        name = file_name(submission.id)
        if name in programs:
            raise ClassError(
                f"The ids {who[name].id!r} and {submission.id!r} make the same name of a folder; "
                "rename one of them."
            )
        programs[name], who[name] = own, submission
    if not programs:
        raise ClassError(f"Nobody has handed in anything of {task} that could be compared.")
    base = _base_code(course, task, with_reference=with_reference)
    write = _for_jplag if tool == "jplag" else _for_dolos
    command = write(target, programs, who, base)
    return LaidOut(len(programs), untouched, command)


def _base_code(course: Path, task: str, *, with_reference: bool) -> dict[str, bytes]:
    found = {f"stub/{name}": file.data for name, file in stubs.read(course, task).files.items()}
    if with_reference:
        reference = Snapshot.read(course / "solutions" / task).files
        found |= {f"reference/{name}": file.data for name, file in reference.items()}
    return {name: data for name, data in found.items() if name.endswith(_SUFFIX)}


def _for_jplag(
    target: Path,
    programs: Mapping[str, Mapping[str, bytes]],
    who: Mapping[str, Submission],
    base: Mapping[str, bytes],
) -> str:
    for name, files in programs.items():
        _write(target / _SUBMISSIONS / name, files)
    _write(target / "base", base)
    root, code = (shlex.quote(str(target / each)) for each in (_SUBMISSIONS, "base"))
    return f"java -jar jplag.jar -l python3 -bc {code} {root}"


def _for_dolos(
    target: Path,
    programs: Mapping[str, Mapping[str, bytes]],
    who: Mapping[str, Submission],
    base: Mapping[str, bytes],
) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["filename", "id", "full_name", "label", "created_at", "ignored"])
    for name, files in programs.items():
        submission = who[name]
        person = submission.person
        for file in sorted(files):
            row = [
                f"{_SUBMISSIONS}/{name}/{file}",
                submission.id,
                person.name or submission.id,
                person.section,
                person.submitted,
                "",
            ]
            table.writerow([neutralised(each) for each in row])
        _write(target / _SUBMISSIONS / name, files)
    if base:
        # Dolos ignores what one file has; so that is all of the base code, one file after another.
        table.writerow(["ignored.py", "", "", "", "", "true"])
        _write(target, {"ignored.py": b"\n\n".join(base[name] for name in sorted(base))})
    _write(target, {"info.csv": text.getvalue().encode()})
    return f"dolos run -l python {shlex.quote(str(target / 'info.csv'))}"


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
