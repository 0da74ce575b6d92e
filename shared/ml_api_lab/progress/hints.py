"""The hints of a task's README, in the order in which it gives them."""

from __future__ import annotations

import re
from pathlib import Path

_DETAILS = re.compile(r"<details>\s*<summary>\s*Hint[^<]*</summary>(.*?)</details>", re.DOTALL)


def hints_of(readme: Path) -> list[str]:
    """Return the hints as text; none if there is no such file."""
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError:
        return []
    return [found.strip() for found in _DETAILS.findall(text)]
