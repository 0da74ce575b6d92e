"""The screen of `lab watch` fits every terminal, and what matters stays on it."""

from __future__ import annotations

import random

import pytest

from ml_api_lab.cli.screen import KEYS, View, compose, paint
from ml_api_lab.cli.text import cells, cut, pad, wrap

CARD = [
    "Both wait at the same time.  (0 of 3 points)",
    "Both together took 5 s; the slower one alone takes 3 s.",
    "What happened, in lab time:\n" + "\n".join(f"  09:00:0{n}  -> GET /" for n in range(9)),
    "Hint: Which of the two sleeps can be awaited?",
    "Again: pytest checks/task_3_2/test_x.py::test_y --seed=1",
]


def texts(columns: int, lines: int, note: str = "14:00:00: 5 of 10 points") -> list[str]:
    view = View("3.2 Async predictions: 5 of 10 points", False, CARD, note)
    return [text for text, _ in compose(view, columns, lines)]


@pytest.mark.parametrize("columns", [1, 5, 20, 40, 80, 200])
@pytest.mark.parametrize("lines", [1, 3, 6, 10, 15, 24, 60])
def test_it_fits(columns: int, lines: int) -> None:
    rows = texts(columns, lines)
    assert len(rows) <= lines
    assert max(map(cells, rows)) <= columns


def test_all_of_it_is_there_where_there_is_room() -> None:
    rows = texts(100, 40)
    assert "\n\n".join(CARD) in "\n".join(rows)
    assert rows[-1] == KEYS


def test_the_command_goes_first_then_the_log_and_the_hint_stays() -> None:
    rows = texts(80, 21)
    assert not any(row.startswith("Again:") for row in rows)
    assert "  09:00:08  -> GET /" in rows
    rows = texts(80, 14)
    assert "... (a: all of it)" in rows
    assert "Hint: Which of the two sleeps can be awaited?" in rows
    assert "Both together took 5 s; the slower one alone takes 3 s." in rows
    assert "  09:00:08  -> GET /" not in rows


def test_the_keys_are_whole_in_forty_columns() -> None:
    rows = texts(40, 10)
    assert rows[-2:] == ["h hint  n/p task  l list  a all", "Enter again  q quit"]
    assert "  ".join(rows[-2:]) == KEYS


def test_the_keys_take_two_rows_at_most() -> None:
    assert texts(20, 10)[-3:] == ["points", "h hint  n/p task", "l list  a all"]


def test_a_long_note_takes_two_rows_at_most() -> None:
    rows = texts(40, 24, note="main.py, line 3: " + "word " * 40)
    assert rows[-4].startswith("main.py, line 3:")
    assert not rows[-5].startswith("word")


@pytest.mark.parametrize("colours", [True, False])
def test_painting_leaves_nothing_of_what_was_there(colours: bool) -> None:
    painted = paint([("title", "good"), ("body", "plain")], colours=colours)
    assert painted.startswith("\x1b[H") and painted.endswith("\x1b[J")
    assert painted.count("\x1b[K") == 2
    assert ("\x1b[1;32m" in painted) == colours


def test_wrapping_keeps_all_words_and_the_indent() -> None:
    draw = random.Random(1)
    for _ in range(200):
        words = ["x" * draw.randrange(1, 30) for _ in range(draw.randrange(1, 20))]
        text = " " * draw.randrange(6) + " ".join(words)
        width = draw.randrange(4, 60)
        rows = wrap(text, width)
        assert max(map(cells, rows)) <= width
        assert "".join("".join(rows).split()) == "".join(words)
    assert wrap("    one two", 9) == ["    one", "    two"]


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("\u4f60\u597d", 4), ("e\u0301", 1), ("", 0)]
)
def test_characters_take_their_columns(text: str, columns: int) -> None:
    assert cells(text) == columns


@pytest.mark.parametrize("width", range(12))
def test_cut_and_padded_texts_have_their_width(width: int) -> None:
    for text in ("", "abc", "abcdefghijklmnop", "\u4f60\u597d" * 8):
        assert cells(cut(text, width)) <= width
        assert cells(pad(text, width)) == width
