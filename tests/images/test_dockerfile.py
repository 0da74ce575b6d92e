"""Dockerfiles: what COPY brings, stages and variables, and what Docker would refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.dockerfile import read
from ml_api_lab.images.image import Image
from tests.images.conftest import Build


def brought(image: Image) -> dict[str, str | None]:
    """Return the image's files, each with the file of the context that it was."""
    return {path: file.origin for path, file in sorted(image.files.items())}


def test_a_dockerfile_s_own_ignore_file_comes_first(build: Build, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.dockerignore").write_text("auth.py\n")
    seen = build("FROM x\nCOPY *.py /", ignore="main.py\n")
    assert list(brought(seen)) == ["/main.py"]


@pytest.mark.parametrize("pattern", ["[", "a[", "!"])
def test_a_bad_pattern_is_told(build: Build, pattern: str) -> None:
    with pytest.raises(SubmissionFault, match=r"Docker would refuse \.dockerignore"):
        build("FROM x\nCOPY . .", ignore=pattern)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("COPY main.py /app/", {"/app/main.py": "main.py"}),
        ("COPY main.py /app", {"/app": "main.py"}),
        ("WORKDIR /app\nCOPY main.py .", {"/app/main.py": "main.py"}),
        ("WORKDIR /app\nCOPY main.py /app", {"/app/main.py": "main.py"}),
        ("RUN mkdir -p /app\nCOPY main.py /app", {"/app/main.py": "main.py"}),
        ("WORKDIR /a\nWORKDIR b\nCOPY main.py ../c.py", {"/a/c.py": "main.py"}),
        ("COPY lib /app/", {"/app/a.py": "lib/a.py", "/app/sub/b.py": "lib/sub/b.py"}),
        ("COPY lib/ /app", {"/app/a.py": "lib/a.py", "/app/sub/b.py": "lib/sub/b.py"}),
        ("COPY lib/*.py /app/", {"/app/a.py": "lib/a.py"}),
        ("COPY *.py auth* /", {"/auth.txt": "auth.txt", "/main.py": "main.py"}),
        ("COPY ma?n.py /", {"/main.py": "main.py"}),
        ("COPY nothing*.py main.py /", {"/main.py": "main.py"}),
        ('COPY ["with space.txt", "/a b/"]', {"/a b/with space.txt": "with space.txt"}),
        ("COPY /main.py ./../main.py /", {"/main.py": "main.py"}),
        ("COPY --parents lib/sub/b.py /x/", {"/x/lib/sub/b.py": "lib/sub/b.py"}),
        ("COPY --exclude=sub lib /x/", {"/x/a.py": "lib/a.py"}),
        ("COPY --chown=1:1 --link main.py \\\n  # why\n  /x/", {"/x/main.py": "main.py"}),
        ("ADD main.py https://example.org/x.py /x/", {"/x/main.py": "main.py"}),
        ("ENV D=/data\nARG F=main.py\nCOPY ${F} $D/", {"/data/main.py": "main.py"}),
        ("COPY <<A <<B /x/\none\nA\ntwo\nB", {"/x/A": None, "/x/B": None}),
        ("RUN <<END\nCOPY main.py /evil\nEND\nCOPY main.py /x", {"/x": "main.py"}),
    ],
)
def test_copy_brings(build: Build, lines: str, expected: dict[str, str | None]) -> None:
    names = ("main.py", "auth.txt", "lib/a.py", "lib/sub/b.py", "with space.txt")
    assert brought(build(f"FROM python:3.12-slim\n{lines}\n", *names)) == expected


def test_a_heredoc_s_content_has_the_variables_put_in(build: Build) -> None:
    seen = build("FROM x\nENV A=1\nCOPY <<E /x\nA is $A\nE\nCOPY <<'E' /y\nA is $A\nE\n")
    assert seen.files["/x"].content == b"A is 1\n"
    assert seen.files["/y"].content == b"A is $A\n"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("FROM x\nCOPY gone.py /", "line 2: COPY cannot bring gone.py: it is not in the folder"),
        ("FROM x\nCOPY main.py /", "COPY cannot bring main.py: the .dockerignore leaves it out"),
        ("FROM x\nCOPY ../up.py /", "nothing above that folder"),
        ("FROM x\nCOPY auth.py requirements.txt /x", "destination is a folder; write /x/"),
        ("FROM x\nCOPY auth.py", "needs a source and a destination"),
        ("COPY auth.py /\nFROM x", "line 1: the build begins with FROM"),
        ("FROM x\nCOPPY a b", "unknown instruction: COPPY"),
        ("FROM $BASE", "$BASE comes to nothing"),
        ("FROM x y", "FROM takes an image, and AS with a name"),
        ("FROM x\nRUN <<E\nls", "unterminated heredoc"),
        ("FROM x\nENV A", "ENV must have two arguments"),
        ('FROM x\nENV A="b', "line 2"),
        ("FROM x\nSHELL bash", "SHELL takes a list"),
        ("FROM x\nUSER", "USER needs something after it"),
    ],
)
def test_what_docker_refuses_is_told_with_its_line(build: Build, lines: str, reason: str) -> None:
    with pytest.raises(SubmissionFault) as fault:
        build(lines, ignore="main.py\n")
    assert reason in str(fault.value)


def test_a_missing_dockerfile_is_told(tmp_path: Path) -> None:
    with pytest.raises(SubmissionFault, match="There is no Dockerfile"):
        read(tmp_path)
    (tmp_path / "dockerfile").write_text("FROM x")
    if not (tmp_path / "Dockerfile").exists():  # where names differ in case
        with pytest.raises(SubmissionFault, match="called dockerfile"):
            read(tmp_path)


def test_an_empty_dockerfile_is_an_image_of_nothing(build: Build) -> None:
    seen = build("# TODO: all of it\n")
    assert (seen.stages, seen.files, seen.start, seen.base) == ((), {}, (), "")


STAGES = """\
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS base
ENV A=1
USER first
CMD ["python", "base.py"]

FROM alpine:3 AS unused
COPY main.py /unused.py

FROM base AS build
COPY main.py auth.py /src/
RUN make /out

FROM base
COPY --from=build /src /app
COPY --from=build /out /out
COPY --from=1 /unused.py /numbered.py
COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/
"""


def test_stages_are_followed(build: Build) -> None:
    seen = build(STAGES)
    assert brought(seen) == {
        "/app/auth.py": "auth.py",
        "/app/main.py": "main.py",
        "/numbered.py": "main.py",
    }
    assert seen.base == "python:3.12-slim"
    assert seen.final.env == {"A": "1"}
    assert seen.final.user == "first"
    assert seen.start == ("python", "base.py")
    assert seen.final.images == ["ghcr.io/astral-sh/uv:0.5"]
    assert {stage.name for stage in seen.stages} == {None, "base", "build", "unused"}
    assert [step.text for step in seen.run_steps()] == ["make /out"]


def test_a_stage_does_not_change_the_one_it_continues(build: Build) -> None:
    seen = build("FROM x AS a\nFROM a\nCOPY main.py /\nENV A=1\nFROM a")
    assert (seen.files, seen.final.env) == ({}, {})


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("ENV A=1 B=2\nENV A=3 B=$A", {"A": "3", "B": "1"}),
        ("ENV A some words", {"A": "some words"}),
        ('ENV A="two words" B=a\\ b', {"A": "two words", "B": "a b"}),
        ("ENV A=${X:-default} B=${X}", {"A": "default", "B": ""}),
        ("ARG X\nENV A=${X}", {"A": "outer"}),
        ("ARG X=inner\nENV A=${X}", {"A": "inner"}),
        ("ENV A=$X", {"A": ""}),
        ("ARG P=8080\nENV P=1\nENV A=$P", {"P": "1", "A": "1"}),
    ],
)
def test_variables(build: Build, lines: str, expected: dict[str, str]) -> None:
    assert build(f"ARG X=outer\nFROM x\n{lines}").final.env == expected
