"""What `.vscode/` tells VS Code, as its tests need it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def load(file: str) -> Any:
    """Return what a settings file of the repository holds; comments are not allowed in ours."""
    return json.loads((ROOT / file).read_text(encoding="utf-8"))


TASKS: dict[str, Any] = {each["label"]: each for each in load(".vscode/tasks.json")["tasks"]}
PROBLEM = re.compile(TASKS["grade this task"]["problemMatcher"]["pattern"]["regexp"])
"""What is a problem line: file, line, sentence."""
