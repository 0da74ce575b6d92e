"""The corpus of a task: mistakes and variants of its solution, each a few edits of its files.

It is a TOML file for a task, `tests/proofs/corpus/task_3_2.toml`. The proofs of the checks are made
of it, and who has solved a task can see in its variants which other ways are right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Edit:
    """A change to one file of a solution.

    Without `old` it writes the whole file, without `new` it removes the file.
    """

    file: str
    old: str | None
    new: str | None

    def applied(self, text: str | None) -> str | None:
        """Return the file's text after the change, None where there is no such file.

        Raises:
            ValueError: `old` does not occur exactly once.
        """
        if self.new is None or self.old is None:
            return self.new
        number = 0 if text is None else text.count(self.old)
        if text is None or number != 1:
            raise ValueError(f"{self.old!r} occurs {number} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def edits_of(table: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Return the edits of a mistake or a variant."""
    return tuple(Edit(each["file"], each.get("old"), each.get("new")) for each in table["edit"])


def variants_of(course: Path, task: str) -> list[tuple[str, tuple[Edit, ...]]]:
    """Return the names and the edits of a task's variants; none if the course has no corpus."""
    path = course / "tests" / "proofs" / "corpus" / f"{task}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return []
    return [(table["name"], edits_of(table)) for table in content.get("variant", ())]
