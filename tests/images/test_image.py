"""Reading images: what a build context holds, and what a Dockerfile makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.dockerfile import read
from ml_api_lab.images.image import Image

Build = Callable[..., Image]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Read the image of a Dockerfile in a folder with these files."""

    def build(dockerfile: str, *names: str, ignore: str | None = None) -> Image:
        for name in names or ("main.py", "auth.py", "requirements.txt"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"content of {name}\n")
        (tmp_path / "Dockerfile").write_text(dockerfile)
        if ignore is not None:
            (tmp_path / ".dockerignore").write_text(ignore)
        return read(tmp_path)

    return build


def brought(image: Image) -> dict[str, str | None]:
    """Return the image's files, each with the file of the context that it was."""
    return {path: file.origin for path, file in sorted(image.files.items())}


# --- .dockerignore: the examples of Docker's own documentation, and its traps --------------------


@pytest.mark.parametrize(
    ("patterns", "left_in", "left_out"),
    [
        ("# comment\n*/temp*", ["temporary", "a/b/temp"], ["somedir/temporary.txt", "a/temp/x"]),
        ("*/*/temp*", ["somedir/temporary.txt"], ["somedir/subdir/temporary.txt"]),
        ("temp?", ["temp", "a/tempa", "tempab"], ["tempa", "tempb"]),
        ("**/*.go", ["main.py"], ["main.go", "a/b/c.go"]),
        ("*.md\n!README.md", ["README.md", "a/b.md"], ["x.md"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["README-x.md"], ["README-secret.md", "x.md"]),
        ("*.md\nREADME-secret.md\n!README*.md", ["README-secret.md", "README.md"], ["x.md"]),
        ("*\n!main.py\n!app", ["main.py", "app/a.py"], ["other.py", "lib/a.py"]),
        ("*\n!app/**/*.py", ["app/a.py", "app/b/c.py"], ["app/a.txt", "main.py"]),
        ("/foo/bar", ["bar", "x/foo/bar"], ["foo/bar/deep"]),
        ("foo/bar/", ["foo/barn"], ["foo/bar/deep"]),
        ("./foo//bar/../bar", ["foo/other"], ["foo/bar"]),
        ("  .env  ", ["a/.env", ".env.example"], [".env"]),
        ("**/.env", [], [".env", "a/.env", "a/b/.env"]),
        ("**/" * 30 + "x", ["/".join("b" * 40)], ["x", "/".join("a" * 40 + "x")]),
        ("__pycache__", ["a/__pycache__/x.pyc"], ["__pycache__/x.pyc"]),
        ("**/__pycache__/**", ["a/b"], ["__pycache__/x.pyc", "a/__pycache__/x.pyc"]),
        ("[a-c].txt", ["d.txt", "A.txt"], ["a.txt", "c.txt"]),
        ("[^a].txt", ["a.txt"], ["b.txt"]),
        (r"\*.txt", ["a.txt"], ["*.txt"]),
        ("Main.py", ["main.py"], []),
        (" # not a comment", ["x"], ["# not a comment"]),
        ("\ufeff.env", [], [".env"]),
        ("node_modules\n!node_modules/keep", ["node_modules/keep"], ["node_modules/x"]),
    ],
)
def test_docker_s_patterns(
    tmp_path: Path, patterns: str, left_in: list[str], left_out: list[str]
) -> None:
    folder = tmp_path / "context"
    for name in left_in + left_out:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / ".dockerignore").write_text(patterns, encoding="utf-8")
    files = set(Context(folder).files)
    assert {name for name in left_in if name not in files} == set()
    assert {name for name in left_out if name in files} == set()


def test_a_dockerfile_s_own_ignore_file_comes_first(build: Build, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.dockerignore").write_text("auth.py\n")
    seen = build("FROM x\nCOPY *.py /", ignore="main.py\n")
    assert list(brought(seen)) == ["/main.py"]


@pytest.mark.parametrize("pattern", ["[", "a[", "!"])
def test_a_bad_pattern_is_told(build: Build, pattern: str) -> None:
    with pytest.raises(SubmissionFault, match=r"Docker would refuse \.dockerignore"):
        build("FROM x\nCOPY . .", ignore=pattern)


# --- COPY and ADD --------------------------------------------------------------------------------


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


# --- stages, variables, settings -----------------------------------------------------------------

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


@pytest.mark.parametrize(
    ("lines", "start", "in_shell"),
    [
        ('CMD ["a", "b $C"]', ("a", "b $C"), False),
        ("CMD a b", ("/bin/sh", "-c", "a b"), True),
        ("CMD ['a', 'b']", ("/bin/sh", "-c", "['a', 'b']"), True),
        ('ENTRYPOINT ["a"]\nCMD ["b"]', ("a", "b"), False),
        ('CMD ["b"]\nENTRYPOINT ["a"]', ("a", "b"), False),
        ('SHELL ["/bin/bash", "-c"]\nCMD a', ("/bin/bash", "-c", "a"), True),
        ('CMD ["a"]\nCMD ["b"]', ("b",), False),
        ('CMD ["a"]\nCMD', (), False),
    ],
)
def test_start_command(build: Build, lines: str, start: tuple[str, ...], in_shell: bool) -> None:
    seen = build(f"FROM x\n{lines}")
    assert (seen.start, seen.starts_in_shell) == (start, in_shell)


def test_an_entry_point_forgets_the_command_that_was_inherited(build: Build) -> None:
    seen = build('FROM x AS a\nCMD ["old"]\nFROM a\nENTRYPOINT ["new"]')
    assert seen.start == ("new",)


def test_distroless_python_starts_python_by_itself(build: Build) -> None:
    seen = build('FROM gcr.io/distroless/python3-debian12:nonroot\nCMD ["main.py"]')
    assert seen.start == ("python3", "main.py")
    assert seen.final.user == "nonroot"


def test_a_run_line_knows_what_was_there(build: Build) -> None:
    seen = build(
        "FROM x\nWORKDIR /app\nCOPY requirements.txt .\n"
        "RUN --mount=type=bind,source=auth.py,target=/a --mount=type=cache,target=/c pip \\\n"
        "  install -r requirements.txt\nCOPY . ."
    )
    (step,) = seen.run_steps()
    assert (step.line, step.workdir, step.mounted) == (4, "/app", ("auth.py",))
    assert list(step.files) == ["/app/requirements.txt"]


def test_files_are_laid_out(build: Build, tmp_path: Path) -> None:
    seen = build("FROM x\nWORKDIR /empty/one\nCOPY --chmod=755 main.py /app/\nCOPY auth.py /app/")
    seen.lay_out(tmp_path / "root")
    assert (tmp_path / "root" / "empty" / "one").is_dir()
    main = tmp_path / "root" / "app" / "main.py"
    assert main.read_text() == "content of main.py\n"
    assert main.stat().st_mode & 0o111


# --- the sources of COPY --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.py", ["main.py"]),
        ("*/*.py", ["a/one.py", "b[1]/x.py"]),
        ("**/*.py", ["a/b/two.py", "a/one.py", "b[1]/x.py", "main.py"]),
        ("a/**/*.py", ["a/b/two.py", "a/one.py"]),
        ("a/**", ["a/b", "a/one.py"]),
        ("?", ["a"]),
        ("[ab]/one.*", ["a/one.py"]),
        ("[^a]*/x.py", ["b[1]/x.py"]),
        ("b\\[1\\]/*", ["b[1]/x.py"]),
        ("m\\ain.p*", ["main.py"]),
        ("nothing*", []),
        ("**/" * 12 + "*" * 12 + "x[0-9]", []),
        ("**/*/" * 12 + "x[0-9]", []),
    ],
)
def test_a_pattern_names_files(pattern: str, expected: list[str], tmp_path: Path) -> None:
    deep = "/".join("d" * 26) + "/" + "x" * 200 + ".txt"
    for name in ("main.py", "a/one.py", "a/b/two.py", "b[1]/x.py", deep):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [each for each in Context(tmp_path).match(pattern) if each[0] != "d"] == expected
