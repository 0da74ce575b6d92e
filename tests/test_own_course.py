"""docs/own-course.md, followed word for word from a clone: students' work outlasts an update."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.toy import LIMIT, ROOT, own_environment

GUIDE = (ROOT / "docs" / "own-course.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"^```sh (\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
FOLDERS = re.findall(r"^\| (`.+`) \| (yes|no) \|", GUIDE, re.MULTILINE)
NAMES = ("NAME", "EMAIL")
WORK = "print('mine')\n"

needs_git = pytest.mark.skipif(
    os.name == "nt" or shutil.which("git") is None or not (ROOT / ".git").exists(),
    reason="it begins with a clone of this repository",
)


def bash(script: str, folder: Path, **env: str) -> None:
    author = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in NAMES}
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=own_environment(**author, **env),
        check=True,
        timeout=LIMIT,
    )


def graded(course: Path) -> str:
    """Return what the course's own harness shows of task 0.1."""
    done = subprocess.run(
        [sys.executable, "-m", "ml_api_lab.cli", "run", "0.1", "-v"],
        cwd=course,
        env=own_environment(PYTHONPATH=str(course / "shared")),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def in_git(folder: Path, *words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@needs_git
def test_an_update_of_the_checks_keeps_students_work(tmp_path: Path) -> None:
    upstream, course, ada = (tmp_path / each for each in ("upstream", "course", "ada"))
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(upstream)], check=True)
    bash(SCRIPTS["make"], tmp_path, LAB=str(upstream))
    assert in_git(course, "log", "--format=%s") == ["Begin the course"]
    assert not [name for name in in_git(course, "ls-files") if name.startswith("solutions/")]
    assert "0 of  10" in graded(course)

    # From a template: the same files, and another history.
    bash("cp -R course ada && cd ada && rm -rf .git && git init -q && git add -A", tmp_path)
    bash("git commit -qm mine", ada)
    work = ada / "exercises" / "task_0_1" / "main.py"
    work.write_text(WORK, encoding="utf-8")
    bash("git commit -qam work", ada)

    # The lab goes on: a check has another title, and the stub another text.
    checks = upstream / "checks" / "task_0_1"
    [file] = [each for each in checks.glob("test_*.py") if '"""' in each.read_text("utf-8")]
    title = re.search(r'\(task.*?\n    """(.+?)"""', file.read_text("utf-8"), re.DOTALL)
    assert title is not None
    changed = file.read_text("utf-8").replace(title[1], "A title of the new version.")
    file.write_text(changed, encoding="utf-8")
    (upstream / "exercises" / "task_0_1" / "main.py").write_text("# new\n", encoding="utf-8")
    bash("git commit -qam newer", upstream)

    before = in_git(course, "rev-parse", "HEAD:exercises")
    bash(SCRIPTS["update"], course)
    assert in_git(course, "rev-parse", "HEAD:exercises") == before
    bash(SCRIPTS["take"], ada, COURSE=str(course))
    assert work.read_text(encoding="utf-8") == WORK
    assert in_git(ada, "status", "--porcelain", "--untracked-files=no") == []
    assert in_git(ada, "rev-parse", "HEAD:checks") == in_git(upstream, "rev-parse", "HEAD:checks")
    assert "A title of the new version.  (0 of " in graded(ada)


@needs_git
def test_the_table_speaks_of_every_folder() -> None:
    tops = {name.partition("/")[0] for name in in_git(ROOT, "ls-files")}
    said = {
        name.strip("/`").partition("/")[0]: answer
        for names, answer in FOLDERS
        for name in names.split(", ")
    }
    assert tops - said.keys() == {"CHANGELOG.md"}
    archived = re.search(r"archive HEAD (.+?) \|", SCRIPTS["make"])
    assert archived is not None
    taken = {name for name, answer in said.items() if answer == "yes"} | {"CHANGELOG.md"}
    assert set(archived[1].split()) == taken
