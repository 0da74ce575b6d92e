"""The grade as files: one renderer for each format."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from shared.grade import Grade
from shared.moment import NS

SCHEMA = "lab-grade/1"


def render_json(grade: Grade) -> str:
    """Return the grade in the lab's own format, described in `grade.schema.json`."""
    content = {
        "schema": SCHEMA,
        "course": grade.syllabus.title,
        "tree": grade.tree,
        "clock": grade.clock,
        "seed": grade.seed,
        "ended": grade.ended,
        "score": grade.score,
        "maximum": grade.maximum,
        "tasks": [
            {
                "name": name,
                "title": grade.syllabus.entry(name).title,
                "part": grade.syllabus.entry(name).part,
                "score": sum(result.points for result in grade.of(name)),
                "maximum": sum(result.check.points for result in grade.of(name)),
                "checks": [
                    {
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
                    for result in grade.of(name)
                ],
            }
            for name in grade.tasks
        ],
    }
    return json.dumps(content, indent=2) + "\n"


FORMATS: dict[str, Callable[[Grade], str]] = {"json": render_json}
"""The formats that `--report FORMAT=FILE` knows."""


def write(grade: Grade, name: str, file: Path) -> None:
    """Write the grade to a file in that format: whole, or not at all."""
    text = FORMATS[name](grade)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, file)
