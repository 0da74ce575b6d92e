"""Reading YAML: one document, no key twice, every value with its path and line."""

from __future__ import annotations

import pytest

from ml_api_lab import yaml_file
from ml_api_lab.errors import SubmissionFault


def test_a_value_knows_its_path_and_line() -> None:
    root = yaml_file.read("a:\n  b:\n    - c: 1\n    - c: 2\n  d.e/f: x\n", "x.yaml")
    second = list(root.get("a", "b").elements())[1].get("c")
    assert (second.value, second.path, second.line) == (2, "a.b[1].c", 4)
    assert second.where == "a.b[1].c (line 4)"
    assert root.get("a", "d.e/f").where == "a.'d.e/f' (line 5)"


def test_a_missing_value_knows_where_it_would_be() -> None:
    node = yaml_file.read("a:\n  b: 1\n", "x.yaml").get("a", "c", "d")
    assert node.missing
    assert node.where == "a.c.d"
    assert yaml_file.read("a:\n", "x.yaml").get("a").missing


def test_anchors_stand_for_what_they_name() -> None:
    root = yaml_file.read("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n", "x.yaml")
    assert root.get("c", "b").value == 1
    assert root.get("d", "b").value == 1
    assert [name for name, _ in root.get("d").items()] == ["e", "b"]


@pytest.mark.parametrize("text", ["", "# TODO: all of it\n", "---\n", "---\n# nothing\n---\n"])
def test_a_file_without_a_document_is_missing(text: str) -> None:
    assert yaml_file.read(text, "x.yaml").missing


def test_a_text_is_a_document_without_fields() -> None:
    root = yaml_file.read("hello", "x.yaml")
    assert not root.missing
    assert root.get("kind").missing
    assert list(root.items()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3", "x.yaml has the key a twice in one place (line 3)"),
        ("a: {b: 1, b: 2}", "has the key b twice"),
        ("a:\n\tb: 1", "a tab stands where only spaces may indent (line 2)"),
        ("a: b: c", "a colon stands where none can"),
        ("a: 1\n  b: 2", "a colon stands where none can"),
        ("a: [1, 2", "expected ',' or ']'"),
        ("a: *b", "found undefined alias 'b' (line 1)"),
        ("a: @b", "cannot start any token (line 1)"),
        ("a: 'b", "found unexpected end of stream"),
        ("a: 1\n---\nb: 2\n---\nc: 3", "x.yaml holds 3 documents"),
        ("a: 2020-13-45", "month must be in 1..12"),
        ("a: \x00", "unacceptable character"),
        ("- " * 5000, "nested too deeply"),
        ("a: " + "[" * 5000, "more lists and mappings than any such file needs"),
        ("a: " + "b" * 300_000, "larger than any such file"),
        (
            "\n".join(
                f"{name}: &{name} [{', '.join([f'*{before}' if before else 'x'] * 9)}]"
                for before, name in zip(["", *"abcdef"], "abcdefg", strict=True)
            ),
            "comes to more values",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SubmissionFault) as fault:
        yaml_file.read(text, "x.yaml")
    told = str(fault.value)
    assert sentence in told
    assert told.endswith(".")
    assert "\n" not in told


def test_a_tag_is_not_obeyed() -> None:
    node = yaml_file.read("a: !!python/object/apply:os.getcwd []", "x.yaml").get("a")
    assert not isinstance(node.value, str)
