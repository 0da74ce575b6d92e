"""Whatever a submission's files and answers hold: each parser of the checks' side takes it in time.

Texts are made of the words that a parser knows, repeated and strung together. A parser may say what
is wrong with them, in an error of its own kind; anything else is a fault of the parser. Time is
that of the processor, which is the same however busy the machine is.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2b_dockerfile_utils import PatternMatcher
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from checks.support import api_keys, prediction_log, requirements, tracing
from checks.support.http import json_body
from checks.task_1_3.server_process import announced_address
from checks.task_3_3 import schema
from checks.task_4_4 import request_log
from checks.task_5_1 import installation
from checks.task_5_2.cloud_run import CloudRun
from checks.task_5_2.container_app import ContainerApp
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.dockerfile import read
from ml_api_lab.images.ignore import IgnoreRules
from ml_api_lab.images.layout import signal_named
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.link import BadFrame, decode
from ml_api_lab.sandbox.clock import LabClock
from ml_api_lab.sandbox.transcript import Line, Transcript
from ml_api_lab.sandbox.workspace import Workspace
from ml_api_lab.task import Task

ROUNDS = 500
LIMIT_SECONDS = 1.0
"""How long a parser may compute, in seconds of the processor's time."""

rounds = settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def texts(*words: str, most: int = 2000) -> st.SearchStrategy[str]:
    """Return texts of these words, of others, and of many of the same."""
    word = st.sampled_from(words)
    many = st.builds(lambda each, count: each * count, word, st.integers(2, most))
    return st.lists(word | word | st.text(max_size=4) | many, max_size=14).map("".join)


@contextmanager
def in_time(*accepted: type[Exception]) -> Iterator[None]:
    began = time.thread_time()
    try:
        yield
    except accepted:
        pass
    assert time.thread_time() - began < LIMIT_SECONDS


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that is filled anew each round."""
    path = Path(tempfile.mkdtemp(prefix="fuzz-"))
    yield path
    shutil.rmtree(path)


def task_of(folder: Path) -> Task:
    entry = Entry("task_9_9", "Fuzz", "Fuzz")
    workspace = Workspace(folder, entry.name, entry.name)
    transcript = Transcript(workspace.folder, folder, entry.name)

    def no_hosts() -> Any:
        raise AssertionError("nothing runs here")

    return Task(entry, workspace, LabClock(1), transcript, no_hosts, random.Random(1))


def fill(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode("utf-8", "surrogatepass"))


DOCKERFILE = texts(
    "FROM python:3.12-slim AS a\n",
    "FROM a AS b\n",
    "FROM a\n",
    "RUN ",
    "pip install ",
    "COPY ",
    "COPY --from=a / /x\n",
    "COPY . .\n",
    "ENV A=",
    "ENV A=$A$A\n",
    "ARG B=${A:-",
    "${A#*",
    "${A//",
    "}",
    "*",
    "<<EOF ",
    "EOF\n",
    '["',
    '", "',
    '"]',
    "\\\n",
    "\n",
    " ",
    "\t",
    "#",
    "# escape=`\n",
    "USER app\n",
    "useradd ",
    "WORKDIR ",
    "../",
    "/",
    "CMD ",
    "ENTRYPOINT ",
    "-r requirements.txt ",
    "SHELL ",
    "HEALTHCHECK CMD ",
    "ONBUILD ",
    "--mount=type=bind,source=. ",
    "--exclude=",
    "$",
    "'",
    "[",
    "ADD https://x/ ",
    "uv run -x ",
    "STOPSIGNAL 99\n",
    "poetry ",
    "&&",
    "\u00b2",
    "\x00",
)


@rounds
@example("FROM a\n" + "RUN pip " * 8000)
@example(
    "FROM a\nENV A=" + "x" * 3000 + "\nRUN ${A//" + "*a" * 20 + "/}\nUSER ${A#" + "*a" * 20 + "}"
)
@example("FROM a\nENV P=" + "*a" * 20 + "\nENV A=" + "a" * 500 + "\nUSER ${A#$P}")
@example("# escape=" + " " * 20_000 + "x\nFROM a")
@example("FROM a\nCMD " + "[" * 30_000)
@example("FROM a AS b\n" + "COPY . /b\nCOPY --from=b / /c\n" * 200)
@example("FROM a\nCOPY <<A <<B\nA\nB\n")
@given(DOCKERFILE)
def test_dockerfile(folder: Path, text: str) -> None:
    fill(
        folder, Dockerfile=text, main__py="import uvicorn", requirements__txt="fastapi\n-r main.py"
    )
    with in_time(SubmissionFault):
        image = read(folder)
        assert isinstance(image.base, str)
        for step in installation.install_steps(image):
            installation.code_copied_before(step)
            installation.missing_requirements_file(image, step)
        installation.installed_packages(image)
        installation.needed_packages(image)
        signal_named(image.final.stop_signal)


PATTERNS = texts(
    "*", "**", "**/", "/", "?", "a", ".py", "!", "[a-c]", "[^a", "]", "\\", "\n", "#", " "
)
NAMES = st.text("ab/.py", min_size=1, max_size=40).map(lambda name: name.strip("/") or "a")


@rounds
@example("a*" * 50 + "b", "a" * 200)
@example("**/a" + "**a" * 30 + "b", "a" * 200)
@given(PATTERNS, NAMES)
def test_dockerignore(text: str, name: str) -> None:
    with in_time(ValueError):
        IgnoreRules(text.splitlines()).matches(name)


@rounds
@given(
    st.lists(st.text("*?/ab.[]^!\\", min_size=1, max_size=7), min_size=1, max_size=4),
    st.text("ab/.", min_size=1, max_size=9),
)
def test_dockerignore_means_what_docker_means(patterns: list[str], name: str) -> None:
    """Compared with the port of Docker's own matcher, which may only be slower."""
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        try:
            known = PatternMatcher(patterns)
        except ValueError:
            with pytest.raises(ValueError, match=r"\w"):
                IgnoreRules(patterns)
            return
    path = "/".join(part for part in name.split("/") if part) or "a"
    assert IgnoreRules(patterns).matches(path) == known.matches(path), (patterns, path)


@rounds
@given(texts("*", "**", "/", "?", "[a]", "\\", "a", "main.py"))
def test_pattern_of_copy(folder: Path, pattern: str) -> None:
    fill(folder, main__py="", Dockerfile="")
    with in_time(SubmissionFault):
        Context(folder).match(pattern)


@rounds
@example(" " * 400_000 + "x")
@example("fastapi" + " " * 400_000 + "x")
@example("a; " + "(" * 900 + "python_version > '3'" + ")" * 900)
@example("a==" + "1" * 20_000)
@example("a; extra ~= 'x'")
@given(
    texts(
        "fastapi",
        "[standard]",
        ">=",
        "1.0",
        ",",
        ";",
        "python_version",
        "'3'",
        " and ",
        "(",
        ")",
        " ",
        "#",
        "\n",
        "-r x",
        "@",
        "https://",
        "extra == ",
        "~=",
        "~",
        "\t",
        "not in",
        "\\",
    )
)
def test_requirements(text: str) -> None:
    with in_time(SubmissionFault):
        requirements.package_names(text)
        list(requirements.invalid_lines(text))


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
            assert prediction_log._count_logged(task, 3) >= 0
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
            api_keys.source_constants(task)
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


def test_the_limit_is_felt() -> None:
    """A parser that is slower than it may be fails here."""
    with pytest.raises(AssertionError):
        _compute_too_long()


def _compute_too_long() -> None:
    with in_time():
        began = time.thread_time()
        while time.thread_time() - began < LIMIT_SECONDS:
            sum(range(10**5))


def test_answers_that_are_no_json_are_told() -> None:
    response = httpx.Response(200, text="[" * 100_000, request=httpx.Request("GET", "http://x/a"))
    with pytest.raises(AssertionError, match="right is JSON"):
        json.dumps(json_body(response))
