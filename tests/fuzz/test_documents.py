"""YAML, JSON, sources, logs and what is printed, as nobody would write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.support import prediction_log, source, tracing
from checks.support.http import json_body
from checks.task_1_3.server_process import announced_address
from checks.task_3_3 import schema
from checks.task_4_4 import request_log
from checks.task_5_2.cloud_run import CloudRun
from checks.task_5_2.container_app import ContainerApp
from ml_api_lab.errors import SubmissionFault
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.link import BadFrame, decode
from ml_api_lab.sandbox.transcript import Line
from tests.fuzz.rounds import fill, in_time, rounds, task_of, texts


@rounds
@example("a: " * 10_000)
@example("[" * 20_000)
@example("- " * 20_000)
@example("a: &a [*a, *a]\n")
@example("? " * 15_000)
@example("a: 0x" + "f" * 40_000)
@given(
    texts(
        "spec:",
        "template:",
        "containers:",
        "- ",
        "name: ",
        "image: x",
        "\n",
        "  ",
        "    ",
        "&a ",
        "*a",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "? ",
        "!!int ",
        "!!binary ",
        "'",
        '"',
        "|",
        ">",
        "---\n",
        "1e999",
        "0b2",
        "2026-99-99",
        "\t",
        "#",
        "<<: ",
        "properties:",
        "%YAML 9\n",
        "kind: Service",
        most=200,
    )
)
def test_yaml(text: str) -> None:
    for platform in (CloudRun, ContainerApp):
        with in_time(SubmissionFault):
            document = platform(text)
            for findings in (
                document.fields,
                document.image,
                document.port,
                document.secret,
                document.probes,
                document.limits,
                document.instances,
                document.concurrency,
                document.exposed_key,
            ):
                next(iter(findings()), None)


JSON_WORDS = (
    '{"model": 1',
    '"features"',
    ": ",
    ", ",
    "{",
    "}",
    "[",
    "]",
    "1",
    "9" * 50,
    "1e999",
    "NaN",
    "null",
    '"',
    "\\u",
    "\n",
    " ",
    '{"id": "x", "status": 200}',
    "-",
    "{}",
)


@rounds
@example("{}" * 500_000)
@example("[" * 1_000_000)
@example("{}\n" * 300_000)
@example('{"model": ' + "9" * 6000 + "}")
@given(texts(*JSON_WORDS))
def test_prediction_log(folder: Path, text: str) -> None:
    fill(folder, predictions__jsonl=text)
    task = task_of(folder)
    try:
        with in_time(SubmissionFault, AssertionError):
            assert len(prediction_log.entries(task)) >= 0
            prediction_log.expect_record(task, "random_forest", [1, 2, 3, 4], 0)
    finally:
        task.close()


@rounds
@example("[" * 10_000)
@example('{"id": ' + "[" * 900 + "]" * 900 + "}")
@given(texts(*JSON_WORDS, most=500))
def test_request_log(folder: Path, text: str) -> None:
    task = task_of(folder)
    try:
        lines = [each[:10_000] for each in text.split("\n")[:50]]
        task.transcript.lines += [Line(each, Span(0)) for each in lines]
        with in_time(AssertionError):
            request_log._lines_with(task, "id", "x")
            request_log._nearest_output(task, "x")
    finally:
        task.close()


@rounds
@example("x = " + "(" * 100_000)
@example("x = " + "-" * 100_000 + "1")
@example("x = 0x" + "f" * 50_000)
@given(
    texts(
        "x = ",
        "'a key'",
        "b'x'",
        "(",
        ")",
        "[",
        "lambda: ",
        "\n",
        "if x:\n    ",
        "f'{x}'",
        "9",
        "0x",
        "not ",
        "-",
        "+",
        "1",
        "async ",
        "def f(): pass",
        "\x00",
        "\\",
        "#",
    )
)
def test_source(folder: Path, text: str) -> None:
    fill(folder, main__py=text)
    task = task_of(folder)
    try:
        with in_time(SubmissionFault):
            source.source_constants(task)
    finally:
        task.close()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["#/a", "#/paths", "object", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["a", "$ref", "allOf", "anyOf", "oneOf", "properties", "type", "paths"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)
MANY_WAYS = {"allOf": [{"$ref": "#/a"}] * 20}


@rounds
@example(MANY_WAYS, {"a": MANY_WAYS})
@given(JSON_VALUES, JSON_VALUES)
def test_schema(value: Any, document: Any) -> None:
    # Of another shape than a schema it is refused by the attributes that it lacks.
    with in_time(AttributeError, TypeError):
        schema._resolve(value, document)


@rounds
@given(
    texts(
        '{"kind": "',
        "head",
        "idle",
        '"',
        ": ",
        ", ",
        '"id"',
        "1",
        "[",
        "]",
        "{",
        "}",
        "null",
        '"next"',
        "9" * 60,
        "NaN",
        '{"kind": "idle", "next": 3}',
    )
)
def test_frame(text: str) -> None:
    with in_time(BadFrame):
        decode(text.encode("utf-8", "surrogatepass"))


@rounds
@given(
    texts("running on ", "http://", "https://", ":", "8000", "0.0.0.0", "[", "]", " ", "\n", "x")
)
def test_announcement(text: str) -> None:
    with in_time():
        found = announced_address(text)
        assert found is None or found[1] < 100_000


@rounds
@given(texts("1", ".", "e", "-", "9", "s", "_", "\u0663", "inf", " ", "E", most=5000))
def test_seconds(text: str) -> None:
    with in_time(AssertionError):
        assert tracing.parse_seconds(text, "It is") >= Span(0)


def test_answers_that_are_no_json_are_told() -> None:
    response = httpx.Response(200, text="[" * 100_000, request=httpx.Request("GET", "http://x/a"))
    with pytest.raises(AssertionError, match="right is JSON"):
        json_body(response)
