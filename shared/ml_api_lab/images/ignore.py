"""The patterns of a `.dockerignore`: which paths they leave out, in time linear in each path.

The patterns are Docker's, not git's: they are anchored at the context's root, `*` does not cross a
slash, `**` does, a pattern that matches a folder takes everything in it, and the last pattern that
matches decides (`!` brings back). Which lines are patterns, and which are none, says the port of
Docker's own matcher (e2b-dockerfile-utils); it would match with regular expressions, which may try
many stars against a long name in more ways than there is time for. So here all ways are followed at
once, as bits of a number.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from e2b_dockerfile_utils import PatternMatcher

MAX_PATTERNS = 300
_MAX_PATTERN_CHARACTERS = 1_000
_MAX_STEPS = 1_000_000
"""How many characters of names may be compared, all patterns together."""


class IgnoreRules:
    """The patterns of one file, or of one `--exclude`.

    Args:
        lines: the patterns as written.

    Raises:
        ValueError: Docker would refuse one, or there are more, or longer, than can be matched.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        patterns = PatternMatcher(_short(lines)).patterns
        self._rules = [
            (each.startswith("!"), _Pattern(each.removeprefix("!"))) for each in patterns
        ]
        self._nothing = [False] * len(self._rules)
        self._steps = 0
        self._found: dict[str, tuple[bool, list[bool]]] = {}

    def matches(self, path: str) -> bool:
        """Whether that path is left out.

        Raises:
            ValueError: so much has been compared that nobody can wait for the rest.
        """
        return bool(self._rules) and self._match(path)[0]

    def _match(self, path: str) -> tuple[bool, list[bool]]:
        """Return whether a path is left out, and which patterns match it or a folder of its."""
        unknown = []
        while path and path not in self._found:
            unknown.append(path)
            path = posixpath.dirname(path)
        found = self._found[path] if path else (False, self._nothing)
        for each in reversed(unknown):
            self._found[each] = found = self._match_below(each, found[1])
        return found

    def _match_below(self, path: str, above: list[bool]) -> tuple[bool, list[bool]]:
        is_left_out, matched = False, []
        for (brings_back, pattern), had_matched in zip(self._rules, above, strict=True):
            # One that could change nothing is not asked, as Docker does.
            matches = had_matched or (brings_back == is_left_out and self._fits(pattern, path))
            matched.append(matches)
            if matches:
                is_left_out = not brings_back
        return is_left_out, matched

    def _fits(self, pattern: _Pattern, path: str) -> bool:
        if not pattern.may_fit(path):
            return False
        self._steps += len(path)
        if self._steps > _MAX_STEPS:
            raise ValueError("it takes too long to match its patterns with all of the names")
        return pattern.fits(path)


def line_that_brings_back(lines: Sequence[str], path: str) -> int | None:
    """Return the number of the line because of which a path is not left out any more.

    Args:
        lines: the file that holds the patterns.
        path: one that is not left out.

    Returns:
        None if no line before leaves it out.

    Raises:
        ValueError: as `IgnoreRules` does.
    """
    found, was_left_out = None, False
    for number in range(1, len(lines) + 1):
        is_left_out = IgnoreRules(lines[:number]).matches(path)
        if was_left_out and not is_left_out:
            found = number
        was_left_out = is_left_out
    return found


def _short(lines: Sequence[str]) -> list[str]:
    """Return what is no comment; several `**/` in a row say the same as one."""
    kept = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(kept) > MAX_PATTERNS:
        raise ValueError(f"it has more than {MAX_PATTERNS} patterns")
    if any(len(line) > _MAX_PATTERN_CHARACTERS for line in kept):
        raise ValueError(f"a pattern has more than {_MAX_PATTERN_CHARACTERS} characters")
    return [re.sub(r"(\*\*/)+", "**/", _without_set_operators(line)) for line in kept]


def _without_set_operators(line: str) -> str:
    """Return a line in whose classes nothing looks as if it were more than a character.

    They become classes of regular expressions, of which Python says that `[[` may change meaning.
    """
    found: list[str] = []
    is_escaped = is_inside = False
    for character in line:
        if is_inside and not is_escaped and character in "[&|~":
            found.append("\\")
        found.append(character)
        if is_escaped:
            is_escaped = False
            continue
        is_escaped = character == "\\"
        is_inside = (is_inside or character == "[") and character != "]"
    return "".join(found)


class _Pattern:
    """One pattern, as a machine whose states are bits: bit n says that n steps are behind it."""

    def __init__(self, pattern: str) -> None:
        self._steps_on: dict[str, int] = defaultdict(int)
        self._classes: list[tuple[re.Pattern[str], int]] = []
        self._loops_on_all = self._loops_in_part = 0
        self._after_slash = self._skips_one = self._skips_two = 0
        head: list[str] = []
        literal: list[str] = []
        count = 0
        is_head = True
        for token in _tokens(pattern):
            bit = 1 << count
            if len(token) == 1:
                self._steps_on[token] |= bit
                literal.append(token)
                count += 1
                continue
            if is_head:
                head, is_head = literal, False
            literal = []
            if token == "**/":  # nothing, or anything up to a slash
                self._skips_one |= bit
                self._skips_two |= bit
                self._loops_on_all |= bit << 1
                self._after_slash |= bit << 1
                count += 2
            elif token in ("**", "*!"):
                self._skips_one |= bit
                if token == "**":
                    self._loops_on_all |= bit << 1
                else:
                    self._loops_in_part |= bit << 1
                count += 1
            else:
                self._classes.append((re.compile(token[1:]), bit))
                count += 1
        self._end = 1 << count
        self._head = "".join(literal if is_head else head)
        self._tail = "".join(literal)
        self._is_literal = is_head
        self._closed = cache(self._close)
        self._moves = cache(self._moves_on)

    def may_fit(self, path: str) -> bool:
        """Whether its beginning and its end are right."""
        return path.startswith(self._head) and path.endswith(self._tail)

    def fits(self, path: str) -> bool:
        """Whether a path is one of those that it means."""
        if self._is_literal:
            return path == self._head
        states = self._closed(1)
        for character in path:
            steps = states & self._moves(character)
            stays = states & self._loops_on_all
            if character == "/":
                steps |= states & self._after_slash
            else:
                stays |= states & self._loops_in_part
            states = self._closed((steps << 1) | stays)
            if not states:
                return False
        return bool(states & self._end)

    def _moves_on(self, character: str) -> int:
        moves = self._steps_on.get(character, 0)
        for characters, bit in self._classes:
            if characters.fullmatch(character):
                moves |= bit
        return moves

    def _close(self, states: int) -> int:
        """Return the states with those that are reached without a character."""
        while True:
            more = states | (states & self._skips_one) << 1 | (states & self._skips_two) << 2
            if more == states:
                return states
            states = more


def _tokens(pattern: str) -> list[str]:
    """Return a pattern's parts: characters, `*!`, `**`, `**/`, and classes behind a colon.

    As Docker takes it apart: `**` swallows a slash behind it.
    """
    found: list[str] = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "*" and pattern.startswith("*", place):
            place += 1
            place += pattern.startswith("/", place)
            found.append("**/" if place < len(pattern) else "**")
        elif character == "*":
            found.append("*!")
        elif character == "?":
            found.append(":[^/]")
        elif character == "[":
            end = place + pattern.startswith("^", place)
            while end < len(pattern) and pattern[end] != "]":
                end += 2 if pattern[end] == "\\" else 1
            found.append(":" + pattern[place - 1 : end + 1])
            place = end + 1
        elif character == "\\" and place < len(pattern):
            found.append(pattern[place])
            place += 1
        else:
            found.append(character)
    return found
