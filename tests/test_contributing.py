"""CONTRIBUTING.md, followed word for word: its files make a course whose task holds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.author import __main__ as author
from tests.proofs.prover import COURSE

GUIDE = (COURSE / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = 'format = 1\ntitle = "A course"\n\n' if path.name == "syllabus.toml" else ""
        path.write_text(head + text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\naddopts = -p ml_api_lab.plugin --import-mode=importlib\n",
        encoding="utf-8",
    )
    return tmp_path


def test_the_guide_names_all_the_files() -> None:
    assert sorted(FILES) == [
        "checks/syllabus.toml",
        "checks/task_9_1/README.md",
        "checks/task_9_1/test_greeting.py",
        "exercises/task_9_1/main.py",
        "solutions/task_9_1/main.py",
        "tests/proofs/corpus/task_9_1.toml",
    ]


def test_the_map_of_the_harness_names_modules_that_are_there() -> None:
    rows = re.findall(r"^\| .+\? \| (.+) \|$", GUIDE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w/]+(?:\.py|/))`", row)]
    assert len(named) > 15
    harness = COURSE / "shared" / "ml_api_lab"
    assert [each for each in named if not (harness / each).exists()] == []


@pytest.mark.parametrize(("tree", "score", "status"), [("solutions", 10, 0), ("exercises", 0, 1)])
def test_pytest_grades_the_new_task(course: Path, tree: str, score: int, status: int) -> None:
    command = [sys.executable, "-m", "pytest", "checks/task_9_1", f"--tree={tree}"]
    run = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    assert re.search(rf"^9.1 .* {score} of +10$", run.stdout, re.MULTILINE), run.stdout
    assert run.returncode == status


def test_its_corpus_proves_the_checks(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert author.main(["9.1", "--mutants"], course) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[-1] == "Nothing to repair."
    assert "9.1: 7 mutants: 7 killed, 0 explained, 0 neither." in rows
