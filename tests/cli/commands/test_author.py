"""`lab author check`: it runs the proofs of the course, and says what is missing if there are none.

What the proofs themselves say is tested beside them, in tests/proofs/test_author.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.lab import COMMAND, Lab, run
from tests.support.toy import LIMIT, Course, own_environment
from tests.support.toy_tasks import two_tasks

ECHO = """\
import os, sys
print(os.getcwd(), *sys.argv[1:], sep="\\n")
sys.exit(3)
"""
WAITS = """\
import sys, time
try:
    print("at work", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    print("ended")
    sys.exit(2)
"""


def with_proofs(course: Course, program: str) -> Path:
    """Give a course proofs: a program that is run in their place."""
    proofs = course.root / "tests" / "proofs"
    (proofs / "corpus").mkdir(parents=True)
    (proofs / "author").mkdir()
    (proofs / "author" / "__main__.py").write_text(program, encoding="utf-8")
    return course.root


@pytest.mark.parametrize(
    "missing", ["tests/proofs/author/__main__.py", "tests/proofs/corpus", "solutions"]
)
def test_what_is_missing_is_one_sentence(missing: str, lab: Lab) -> None:
    for name in ("tests/proofs/author/__main__.py", "tests/proofs/corpus/task_0_1.toml"):
        path = lab.course / name
        path.parent.mkdir(parents=True)
        path.touch()
    (lab.course / missing).rename(lab.course / "elsewhere")
    said = lab("author", "check")
    assert (said.status, said.out) == (4, "")
    assert said.err == (
        f"The checks are proved with {missing}, and {lab.course} has none; give the command in a "
        "clone of the lab, which has its tests and solutions.\n"
    )


@pytest.mark.parametrize(
    ("here", "words", "meant"),
    [
        (".", ["task_0_2", "0.1"], ["0.2", "0.1"]),
        (".", [], []),
        ("checks/task_0_2", ["--mutants"], ["0.2", "--mutants"]),
    ],
)
def test_the_proofs_run_in_the_course_with_what_was_asked_for(
    here: str, words: list[str], meant: list[str], tmp_path: Path
) -> None:
    course = with_proofs(two_tasks(tmp_path / "course"), ECHO)
    said = run(course, "author", "check", *words, here=here)
    assert said.status == 3
    assert said.lines == [str(course), *meant]


def test_the_file_of_figures_is_named_from_where_one_is(tmp_path: Path) -> None:
    course = with_proofs(two_tasks(tmp_path / "course"), ECHO)
    said = run(course, "author", "check", "0.1", "--write", "proven.json", here="checks")
    assert said.lines[1:] == ["0.1", "--write", str(course / "checks" / "proven.json")]


def test_a_task_that_is_not_there_is_told_before(lab: Lab) -> None:
    for name in ("tests/proofs/author/__main__.py", "tests/proofs/corpus/task_0_1.toml"):
        (lab.course / name).parent.mkdir(parents=True)
        (lab.course / name).touch()
    said = lab("author", "check", "7.7")
    assert said.status == 4
    assert "'7.7' is no task of the course" in said.err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal for one group of processes")
def test_an_interrupt_lets_the_proofs_end_themselves(tmp_path: Path) -> None:
    course = with_proofs(two_tasks(tmp_path / "course"), WAITS)
    with subprocess.Popen(
        [*COMMAND, "author", "check"],
        cwd=course,
        env=own_environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=LIMIT)[0] == "ended\n"
    assert process.returncode == 2
