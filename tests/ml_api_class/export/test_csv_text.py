"""CSV files keep every byte but those of the cells that change."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_api_class.errors import ClassError
from ml_api_class.export.csv_text import decode, read

_TEXTS = st.text(alphabet=st.sampled_from("ab ,;\"\n\t'é\u05d0\U0001f409"), max_size=8)


@given(
    st.lists(st.lists(_TEXTS, min_size=2, max_size=4), min_size=1, max_size=4),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_it_reads_what_python_writes_and_writes_it_back(
    rows: list[list[str]], separator: str, end: str, quoting: int
) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]  # one of its constants
    table = read(stream.getvalue(), "x.csv", separator)
    assert [[cell.value for cell in row] for row in table.rows] == rows
    assert table.replaced({}) == stream.getvalue()


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("\ufeffa,b\r\n1,2\r\n", "\ufeffa,b\r\n1,9\r\n"),
        ('a,b\n1,"2"', 'a,b\n1,"9"'),
        ("a,b\n1,", "a,b\n1,9"),
        ("a,b\n\n1,\n\n", "a,b\n\n1,9\n\n"),
        ("a;b\r1;\r", "a;b\r1;9\r"),
    ],
)
def test_one_cell_changes_and_nothing_else(text: str, changed: str) -> None:
    table = read(text, "x.csv")
    assert table.replaced({table.rows[1][1]: "9"}) == changed


def test_what_needs_quotes_gets_them() -> None:
    table = read("a,b\n1,2\n", "x.csv")
    assert table.replaced({table.rows[1][1]: "7,5"}) == 'a,b\n1,"7,5"\n'


def test_the_separator_is_what_the_first_line_has_most_of() -> None:
    assert read('"a,b,c";d\n', "x.csv").separator == ";"
    assert read("a\tb\n", "x.csv").separator == "\t"


@pytest.mark.parametrize("text", ['a,"b\n', 'a,"b"c\n'])
def test_what_is_no_csv_is_refused(text: str) -> None:
    with pytest.raises(ClassError, match=r"x.csv is no CSV file: .* in line 1"):
        read(text, "x.csv")


def test_another_encoding_is_refused() -> None:
    with pytest.raises(ClassError, match="not in UTF-8"):
        decode("é".encode("latin-1"), "x.csv")
