"""The grade as files: one small renderer for each format, chosen with `--report FORMAT=FILE`.

A renderer is a module with a function `render` that takes the grade, and nothing else, to the
file's text. All of them show the one grade, so they cannot disagree; a file is written whole or not
at all.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.errors import CourseError
from ml_api_lab.grading.grade import Grade
from ml_api_lab.grading.reports import (
    classroom50,
    gradescope,
    html_report,
    json_report,
    junit,
    markdown,
    prairielearn,
)

FORMATS = {
    "json": json_report.render,
    "junit": junit.render,
    "markdown": markdown.render,
    "html": html_report.render,
    "gradescope": gradescope.render,
    "classroom50": classroom50.render,
    "prairielearn": prairielearn.render,
}
"""The formats, and what writes a grade as the text of each."""


@dataclass(frozen=True)
class Report:
    """A file that the grade is written to."""

    format: str
    file: Path


def parse_options(options: list[str]) -> list[Report]:
    """Return the reports that were asked for; make sure, before the run, that all can be written.

    Args:
        options: what was given as `--report`, each FORMAT=FILE.

    Raises:
        CourseError: there is no such format, a file cannot be written, or two are the same.
    """
    reports: list[Report] = []
    for option in options:
        name, file = _split_option(option)
        if not name:
            raise CourseError(
                f"--report {option!r} is not FORMAT=FILE with a known format; valid formats are "
                f"{', '.join(FORMATS)}, as in --report json=grade.json."
            )
        path = _resolve(file)
        if any(path == report.file for report in reports):
            raise CourseError(f"Two reports are to be written to {file}; give each its own file.")
        if problem := _write_error(path):
            raise CourseError(
                f"--report {option!r} cannot be written: {problem}; give a file in a folder that "
                f"can be written to, as in --report {name}=reports/{path.name}."
            )
        reports.append(Report(name, path))
    return reports


def identity(reports: list[Report], environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the reports need to know of whose submission it is.

    Only Classroom 50 asks for that.

    Raises:
        CourseError: the environment does not say it.
    """
    if not any(report.format == "classroom50" for report in reports):
        return {}
    return classroom50.identity(environment)


def delete_old_reports(options: list[str]) -> None:
    """Remove files of earlier runs, so that none is taken for the grade of this one.

    Before anything is looked at that could be wrong: a run that is refused has no grade either.

    Args:
        options: what was given as `--report`.
    """
    for option in options:
        name, file = _split_option(option)
        if name:
            try:
                if _resolve(file).is_file():
                    _resolve(file).unlink()
            except OSError:
                pass  # `parse_options` says so


def _split_option(option: str) -> tuple[str, str]:
    """Return the format and the file of an option; two empty texts if it is none."""
    name, _, file = option.partition("=")
    return (name, file) if name in FORMATS and file else ("", "")


def _resolve(file: str) -> Path:
    return Path(file).expanduser().resolve()


def render(grade: Grade, name: str) -> str:
    """Return the grade in that format."""
    return FORMATS[name](grade)


def write(grade: Grade, report: Report) -> None:
    """Write the grade to its file: whole, or not at all."""
    text = render(grade, report.format)
    report.file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = _create_temporary_file(report.file)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(temporary, 0o666 & ~_umask())
        try:
            os.replace(temporary, report.file)
        except OSError:
            # It was a file or nothing when the run began: a submission has made a folder of it.
            if not report.file.is_dir():
                raise
            aside = f".not-a-report-{secrets.token_hex(4)}"
            os.replace(report.file, report.file.with_name(aside))
            os.replace(temporary, report.file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_error(path: Path) -> str:
    """Return why that file cannot be written, "" if it can."""
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            return "it is a folder" if path.is_dir() else "it is no ordinary file"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = _create_temporary_file(path)
        os.close(descriptor)
        os.unlink(temporary)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _create_temporary_file(path: Path) -> tuple[int, str]:
    return tempfile.mkstemp(dir=path.parent, prefix=".report-")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
