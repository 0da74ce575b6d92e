"""Strangers' text made harmless: what a submission says is shown, never obeyed.

Terminals obey escape sequences, and CI services obey lines that begin with ``::`` or ``##[``.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"^(\s*)(::|##\[|##vso)", re.MULTILINE)


def plain(text: str) -> str:
    """Return the text with control characters spelled out and service commands defused."""
    spelled = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return _COMMAND.sub(r"\1| \2", spelled.encode("utf-8", "backslashreplace").decode())
