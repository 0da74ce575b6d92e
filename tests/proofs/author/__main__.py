"""What `lab author check` runs in the folder of a course: `python -m tests.proofs.author 3.1`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from ml_api_lab.cli.grading import open_grader
from ml_api_lab.cli.text import progress_line
from ml_api_lab.course.place import Place, find
from ml_api_lab.errors import HarnessError, LabError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.session import signals
from tests.proofs.author import figures, report
from tests.proofs.author.proof import Author

_WHOLE_REPORTS = 3
"""Of so many tasks each mistake is listed; of more, what is to be repaired."""


def main(words: Sequence[str], course: Path) -> int:
    """Prove tasks of a course, and print what was found; return the exit status."""
    parser = argparse.ArgumentParser(prog="lab author check")
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args(words)
    try:
        return check(find(course), asked.tasks, with_mutants=asked.mutants, target=asked.write)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except HarnessError as error:
        print(error, file=sys.stderr)
        return ExitStatus.HARNESS_FAILED
    except LabError as error:
        print(error, file=sys.stderr)
        return ExitStatus.USAGE_ERROR


def check(
    place: Place, said: Sequence[str], *, with_mutants: bool, target: Path | None
) -> ExitStatus:
    """Prove these tasks, all by default; print the report of each as soon as it is there.

    Args:
        target: the file that takes the figures of each check; None for no file.

    Raises:
        CourseError: there is no such task, or the course is wrong.
        HarnessError: the lab itself failed.
    """
    meant = {place.task(each).name for each in said} or set(place.syllabus.names)
    entries = [entry for entry in place.syllabus.tasks if entry.name in meant]
    rows = report.whole if len(entries) <= _WHOLE_REPORTS else report.short
    with ExitStack() as stack:
        stack.callback(signals.restore)
        signals.hear()
        grader = open_grader(place, entries)
        stack.callback(grader.close)
        author = Author(place, grader)
        problems = author.course_problems()
        _print(report.to_repair(problems))
        number = len(problems)
        for entry in entries:
            progress = progress_line("submissions", f"{entry.number}: ")
            proof = author.prove(entry.name, with_mutants=with_mutants, on_progress=progress)
            _print(rows(entry, proof))
            number += len(proof.problems)
            if target is not None:
                figures.write(target, place.course, proof)
    if target is not None:
        print(f"\nThe figures of each check: {target}")
    print(f"\n{report.conclusion(number)}")
    return ExitStatus.POINTS_MISSING if number else ExitStatus.ALL_POINTS


def _print(rows: Iterable[str]) -> None:
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], Path.cwd()))
