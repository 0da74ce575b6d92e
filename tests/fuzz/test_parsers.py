"""Dockerfiles, patterns and requirements, as nobody would write them."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import pytest
from e2b_dockerfile_utils import PatternMatcher
from hypothesis import example, given
from hypothesis import strategies as st

from checks.support import requirements
from checks.task_5_1 import installation
from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.dockerfile import read
from ml_api_lab.images.ignore import IgnoreRules
from ml_api_lab.images.layout import signal_named
from tests.fuzz.rounds import fill, in_time, rounds, texts

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


def test_the_limit_is_felt() -> None:
    """A parser that is slower than it may be fails here."""
    with pytest.raises(AssertionError):
        _compute_too_long()


def _compute_too_long() -> None:
    with in_time(limit_seconds=0.01):
        began = time.thread_time()
        while time.thread_time() - began < 0.01:
            sum(range(10**5))
