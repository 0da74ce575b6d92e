"""`junit`: JUnit XML in pytest's dialect, with the points as properties.

Why not `--junitxml`: pytest writes that file in place, so an interruption can leave half of it; it
lists only what ran, so the points of a check that was not run or not selected would be missing from
the maximum; and it gives a check that fails and then fails in its teardown two entries. The
elements and attributes here are those that pytest writes (`_pytest/junitxml.py`, the family
`xunit2`, and `record_property`'s properties of a test case), so what reads pytest's files reads
these.

A failed check is a `failure`, one that was not run an `error`, one that was not selected `skipped`.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ml_api_lab.grading.grade import Grade, Outcome, Result
from ml_api_lab.sanitize import sanitize
from ml_api_lab.version import VERSION


def render(grade: Grade) -> str:
    """Return the grade as XML."""
    results = list(grade.results.values())
    root = Xml.Element("testsuites", name=sanitize(grade.syllabus.title))
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=sanitize(grade.syllabus.title),
        errors=_count(results, Outcome.NOT_RUN),
        failures=_count(results, Outcome.FAILED),
        skipped=_count(results, Outcome.DESELECTED),
        tests=str(len(results)),
        time=f"{sum(result.real_time for result in results):.3f}",
        timestamp=grade.began.isoformat(),
    )
    _properties(
        suite,
        {
            "score": grade.score,
            "maximum": grade.maximum,
            "tree": grade.tree,
            "clock": grade.clock,
            "seed": grade.seed,
            "isolation": grade.isolation,
            "version": VERSION,
            "ended": grade.ended,
            "notes": " ".join(grade.notes),
        },
    )
    for result in results:
        _case(suite, result)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def _case(suite: Xml.Element, result: Result) -> None:
    check = result.check
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=f"checks.{check.task}.{check.file.removesuffix('.py')}",
        name=check.name,
        time=f"{result.real_time:.3f}",
    )
    _properties(
        case,
        {
            "title": check.title,
            "score": result.points,
            "maximum": check.points,
            "outcome": result.outcome,
        },
    )
    if result.outcome == Outcome.FAILED:
        Xml.SubElement(case, "failure", message=result.message).text = result.card
    elif result.outcome == Outcome.NOT_RUN:
        Xml.SubElement(case, "error", message="The check was not run.")
    elif result.outcome == Outcome.DESELECTED:
        Xml.SubElement(case, "skipped", type="deselected", message="The check was not selected.")


def _properties(parent: Xml.Element, values: dict[str, object]) -> None:
    properties = Xml.SubElement(parent, "properties")
    for name, value in values.items():
        Xml.SubElement(properties, "property", name=name, value=sanitize(str(value)))


def _count(results: list[Result], outcome: Outcome) -> str:
    return str(sum(result.outcome == outcome for result in results))
