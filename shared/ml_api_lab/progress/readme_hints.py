"""Hints, one at a time: those of a task's README in their order, a failed check's own one last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.progress.history import History

_DETAILS = re.compile(r"<details>\s*<summary>\s*Hint[^<]*</summary>(.*?)</details>", re.DOTALL)


@dataclass(frozen=True)
class Hint:
    """A hint.

    Attributes:
        where: which one it is, and where it comes from.
        is_last: whether there are no more.
    """

    text: str
    where: str
    is_last: bool

    @property
    def label(self) -> str:
        """Where it comes from, and that it is the last one if it is."""
        return f"{self.where}; the last one" if self.is_last else self.where


def next_hint(course: Path, history: History, task: str, number: int | None = None) -> Hint | None:
    """Return the hint after the last one shown, the last one again at the end; None without any.

    Args:
        number: which one to return instead, from 1; it does not count as shown.
    """
    hints = of_readme(course / "checks" / task / "README.md")
    places = [f"in checks/{task}/README.md"] * len(hints)
    last = history.rows(task, limit=1)
    if last and last[0].hint:
        hints.append(last[0].hint)
        places.append(f"of the first failed check, {last[0].failed.rpartition('::')[2]}")
    if not hints or (number or 0) > len(hints):
        return None
    if number is None:
        shown = history.hints_shown(task)
        index = min(shown, len(hints) - 1)
        try:
            history.remember_hints(task, max(shown, index + 1))
        except OSError:
            pass  # the same one is shown again next time
    else:
        index = number - 1
    where = f"hint {index + 1} of {len(hints)}, {places[index]}"
    return Hint(hints[index], where, index == len(hints) - 1)


def without_hints(text: str, instead: str) -> str:
    """Return the text of a README with these words in place of its first hint, and no other."""
    first, *others = _DETAILS.split(text)[::2]  # every second piece is a hint
    return first + (instead if others else "") + "".join(each.lstrip("\n") for each in others)


def of_readme(readme: Path) -> list[str]:
    """Return the hints of a README; none if there is no such file."""
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError:
        return []
    return [found.strip() for found in _DETAILS.findall(text)]
