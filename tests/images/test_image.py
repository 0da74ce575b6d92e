"""Images: what starts in one, what a RUN line found there, and its files laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.conftest import Build


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
