"""Build contexts: what .dockerignore leaves out, and which files a pattern names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_lab.images.context import Context


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


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("*.pem\n\n!server.*\n", (3, "!server.*")),
        ("!server.*\n*.key\n", None),
        ("server.pem\n!*.pem\n*.pem\n!server.pem\n", (4, "!server.pem")),
    ],
)
def test_the_line_that_brings_a_file_back(
    tmp_path: Path, lines: str, found: tuple[int, str] | None
) -> None:
    (tmp_path / "server.pem").write_text("")
    (tmp_path / ".dockerignore").write_text(lines)
    context = Context(tmp_path)
    assert "server.pem" in context.files
    assert context.ignore_file == ".dockerignore"
    assert context.line_that_brings_back("server.pem") == found
