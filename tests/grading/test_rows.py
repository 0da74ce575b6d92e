"""Text in rows: nothing of a short one is lost, and a long one keeps its two ends."""

from __future__ import annotations

import pytest

from ml_api_lab.grading.rows import shortened, wrapped

LEFT_OUT = "... (the whole sentence with -v) ..."
ANSWER = " ".join(f"word{number}" for number in range(120))


@pytest.mark.parametrize("columns", [40, 80])
def test_rows_hold_the_text_in_order(columns: int) -> None:
    rows = wrapped(ANSWER, columns)
    assert " ".join(rows) == ANSWER
    assert max(map(len, rows)) <= columns


def test_lines_after_the_first_are_set_in() -> None:
    assert wrapped("It printed:\nFinished\n\nStarting", 80) == [
        "It printed:",
        "  Finished",
        "",
        "  Starting",
    ]


def test_nothing_is_one_empty_row() -> None:
    assert wrapped("", 80) == [""]


def test_a_long_word_is_broken_only_if_asked() -> None:
    word = "/" * 100
    assert wrapped(word, 40) == [word]
    assert wrapped(word, 40, break_long_words=True) == ["/" * 40, "/" * 40, "/" * 20]


def test_a_sentence_that_fits_is_whole() -> None:
    sentence = "GET / answered 404; right is 200."
    assert shortened(sentence, 80) == [sentence]


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    "right",
    [
        "right is 200.",
        "right is that the model is asked once for each flower, however many come at a time.",
    ],
)
def test_a_long_sentence_keeps_what_was_done_and_what_is_right(columns: int, right: str) -> None:
    rows = shortened(f"GET /models answered {ANSWER}; {right}", columns)
    assert len(rows) == 7
    assert rows[0].startswith("GET /models answered word0 ")
    assert rows.count(LEFT_OUT) == 1
    assert " ".join(rows[rows.index(LEFT_OUT) + 1 :]).endswith(right)
    assert max(map(len, rows)) <= columns


def test_a_long_sentence_without_a_right_one_keeps_its_last_clause() -> None:
    rows = shortened(f"The log has {ANSWER}: the last line is cut off.", 40)
    assert " ".join(rows).endswith("the last line is cut off.")


def test_a_long_text_of_one_clause_keeps_both_ends() -> None:
    rows = shortened(ANSWER, 40)
    assert rows[0].startswith("word0 ")
    assert rows[-1].endswith("word119")
    assert len(rows) == 7
