"""`json`: the lab's own format and the fullest one; `grade.schema.json` beside it describes it.

The schema's version is in the field `schema`; it changes when a field is removed or changes its
meaning, not when one is added.
"""

from __future__ import annotations

import json
from typing import Any

from ml_api_lab.grading.grade import Grade, Result, maximum, score
from ml_api_lab.lab_time import NS
from ml_api_lab.version import VERSION

SCHEMA = "lab-grade/1"


def render(grade: Grade) -> str:
    """Return the grade as JSON."""
    content = {
        "schema": SCHEMA,
        "version": VERSION,
        "course": grade.syllabus.title,
        "tree": grade.tree,
        "clock": grade.clock,
        "seed": grade.seed,
        "isolation": grade.isolation,
        "began": grade.began.isoformat(timespec="seconds"),
        "complete": not grade.ended,
        "ended": grade.ended,
        "notes": grade.notes,
        "score": grade.score,
        "maximum": grade.maximum,
        "course_maximum": grade.course_maximum,
        "not_asked": [name for name in grade.syllabus.names if name not in grade.tasks],
        "tasks": [_task(grade, name) for name in grade.tasks],
    }
    return json.dumps(content, indent=2) + "\n"


def _task(grade: Grade, name: str) -> dict[str, Any]:
    entry = grade.syllabus.entry(name)
    results = grade.results_of(name)
    return {
        "name": name,
        "title": entry.title,
        "part": entry.part,
        "score": score(results),
        "maximum": maximum(results),
        "checks": [_check(result) for result in results],
    }


def _check(result: Result) -> dict[str, Any]:
    return {
        "id": result.check.id,
        "title": result.check.title,
        "outcome": result.outcome,
        "points": result.points,
        "maximum": result.check.points,
        "message": result.message,
        "card": result.card,
        "lab_seconds": result.lab_time / NS,
        "real_seconds": round(result.real_time, 6),
    }
