"""What is proved of the checks: figures that authors have measured, beside those of a class.

`lab author check --write checks/proven.json` makes the file. It holds what each check's mistakes
cost, and how many mutants of the solution it fails, with the digest of the checks that this was
measured with: figures of other checks are never shown as those of the checks of today.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ml_api_class.cache_keys import Origin
from ml_api_class.errors import ClassError

FILE = "checks/proven.json"
"""Where it is looked for in a course."""

FORMAT = 1


@dataclass(frozen=True)
class Figures:
    """What is proved of one check.

    Attributes:
        mistakes: how many of the corpus it has to catch, but for those where the whole is missing.
        cost: what such a mistake costs on average, in points of the whole task; None without any.
        alone: how many of them fail no other check.
        killed: how many mutants of the solution it fails; None if nobody has measured that.
        mutants: how many mutants there are; None if nobody has measured that.
    """

    mistakes: int
    cost: float | None
    alone: int
    killed: int | None = None
    mutants: int | None = None


@dataclass(frozen=True)
class ProvenTask:
    """What is proved of a task's checks.

    Attributes:
        checks: the digest of the checks that it was measured with.
        figures: by the name of a check.
    """

    checks: str
    figures: dict[str, Figures]


@dataclass(frozen=True)
class Proven:
    """What is proved of the very checks that a class was graded with.

    Attributes:
        figures: by task, then by the name of a check.
        note: what is known of other checks alone, and so is not shown, in a sentence; "" for
            nothing.
    """

    figures: Mapping[str, Mapping[str, Figures]]
    note: str = ""

    def of(self, task: str, check: str) -> Figures | None:
        """Return the figures of a check, None if there are none."""
        return self.figures.get(task, {}).get(check)


NOTHING_PROVEN = Proven({})


def current(tasks: Mapping[str, ProvenTask], origins: Iterable[Origin]) -> Proven:
    """Return what is proved of the checks that made a run's verdicts.

    Args:
        tasks: what a file tells.
        origins: what made the verdicts.
    """
    graded: dict[str, set[str]] = {}
    for origin in origins:
        graded.setdefault(origin.task, set()).add(origin.checks)
    figures = {
        task: each.figures for task, each in tasks.items() if graded.get(task) == {each.checks}
    }
    others = [task for task in tasks if task in graded and task not in figures]
    if not others:
        return Proven(figures)
    names = ", ".join(each.removeprefix("task_").replace("_", ".") for each in others)
    return Proven(
        figures,
        f"What is proved of the checks of {names} was measured with other checks than those of "
        "this run, and is left out.",
    )


def read(path: Path) -> dict[str, ProvenTask]:
    """Return what a file tells, by task; nothing if there is no such file.

    Raises:
        ClassError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"it has format {content['format']}, and this lab reads {FORMAT}")
        return {
            task: ProvenTask(
                entry["checks"],
                {name: Figures(**figures) for name, figures in entry["figures"].items()},
            )
            for task, entry in content["tasks"].items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClassError(
            f"{path} cannot be read ({error}); make it anew with lab author check --write."
        ) from error


def write(path: Path, tasks: dict[str, ProvenTask]) -> None:
    """Write such a file, whole or not at all."""
    content = {
        "format": FORMAT,
        "tasks": {
            task: {
                "checks": tasks[task].checks,
                "figures": {name: asdict(each) for name, each in tasks[task].figures.items()},
            }
            for task in sorted(tasks)
        },
    }
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")
    os.replace(draft, path)
