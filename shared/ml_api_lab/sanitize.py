"""Strangers' text made harmless: what a submission says is shown, never obeyed.

Terminals obey escape sequences, and readers are fooled by characters that turn the direction of a
line or do not show at all. CI services obey lines of their logs: GitHub's runner takes a line that
begins with ``::`` (after any white space) and ``##[`` anywhere in a line as commands
(`ActionCommand.cs` of actions/runner), Azure and TeamCity ``##vso[`` and ``##teamcity[``.
"""

from __future__ import annotations

import re

CARD_LIMIT = 16_000
"""How many characters of a card are kept."""

MESSAGE_LIMIT = 2_000
"""How many characters of a message are kept."""

ROW_LIMIT = 500
"""How many characters of a row of a card are kept."""

# Unicode's control, format, line and paragraph separator characters, lone surrogates and the two
# that XML forbids; a tab and a line feed stay.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)
_HIDDEN_ASCII = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Blanks of this line alone: many empty lines would take the square of their number in time.
_LINE_COMMAND = re.compile(r"^([^\S\n]*)::", re.MULTILINE)
_COMMAND = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)


def sanitize(text: str) -> str:
    """Return the text with hidden characters spelled out and service commands defused.

    Do it last: a line that is wrapped afterwards can begin with a command. Doing it again changes
    nothing.
    """
    hidden = _HIDDEN_ASCII if text.isascii() else _HIDDEN
    text = hidden.sub(_spell_out, text)
    if "::" in text:
        text = _LINE_COMMAND.sub(r"\1| ::", text)
    if "##" in text:
        text = _COMMAND.sub("# #", text)
    return text


def sanitize_and_truncate(text: str, max_length: int) -> str:
    """Return the sanitized text, cut to that many characters; if it is cut, it says so."""
    return truncate(sanitize(text[: max_length + 1]), max_length)


def truncate(text: str, max_length: int) -> str:
    """Return the text, cut to that many characters; if it is cut, it says so."""
    if len(text) <= max_length:
        return text
    return f"{text[:max_length]} ... (cut at {max_length} characters)"


def _spell_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
