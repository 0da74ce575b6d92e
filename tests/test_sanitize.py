"""Texts of strangers: nothing in them is obeyed or hidden, and long ones are cut."""

from __future__ import annotations

import sys
import unicodedata

from ml_api_lab.sanitize import sanitize, sanitize_and_truncate, truncate
from tests.support.grades import (
    HOSTILE,
    obeyed_by_terminals,
)


def test_hidden_characters_are_spelled() -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character) in hidden and character not in "\t\n":
            assert sanitize(character).isascii() and sanitize(character).isprintable(), hex(point)


def test_words_of_any_language_stay() -> None:
    text = "Grüße, 世界, مرحبا, שלום, emoji 🎉:\n\ta tab; C::D ## heading [x]"
    assert sanitize(text) == text


def test_plain_is_done_once() -> None:
    assert sanitize(sanitize(HOSTILE)) == sanitize(HOSTILE)
    assert obeyed_by_terminals(sanitize(HOSTILE)) == []


def test_cutting_says_how_much() -> None:
    assert truncate("abc", 3) == "abc"
    assert truncate("abcd", 3) == "abc ... (cut at 3 characters)"
    assert sanitize_and_truncate("\x00" * 9, 5) == "\\x00\\ ... (cut at 5 characters)"
