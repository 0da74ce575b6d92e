"""What the README says is so: its commands, its links, its sample."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.course.catalog import Catalog
from tests.proofs.prover import COURSE, IGNORED

README = (COURSE / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(python3 -m venv .*)$", README, re.MULTILINE)
PAGES = [
    COURSE / "README.md",
    COURSE / "CONTRIBUTING.md",
    COURSE / "CHANGELOG.md",
    *sorted((COURSE / "docs").glob("*.md")),
]
STUDENTS = (COURSE / "docs" / "students.md").read_text(encoding="utf-8")
CI = (COURSE / "docs" / "ci.md").read_text(encoding="utf-8")
SYLLABUS = syllabus.read(COURSE / "checks" / "syllabus.toml")
TASKS = sorted((COURSE / "checks").glob("task_*/README.md"))


def test_two_commands_come_first_and_ci_runs_the_second() -> None:
    main_job, all_tests = COMMANDS[:2]
    assert main_job.endswith("pytest checks --tree=solutions")
    assert all_tests.endswith("pytest tests -n auto --dist worksteal")
    script = (COURSE / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == all_tests


@pytest.mark.parametrize("page", [*PAGES, *TASKS], ids=lambda p: p.relative_to(COURSE).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (page.parent / target).exists(), target


def test_the_map_shows_the_folders_that_are_there() -> None:
    drawn = re.search(r"^```\n(exercises/ .*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert drawn is not None
    shown = set(re.findall(r"^([a-z_/]+)/ |(?<=/  )([a-z]+)/ ", drawn[1], re.MULTILINE))
    folders = {first or second for first, second in shown}
    assert sorted(each for each in folders if not (COURSE / each).is_dir()) == []
    ours = {
        path.name for path in COURSE.iterdir() if path.is_dir() and not path.name.startswith(".")
    }
    assert {each.partition("/")[0] for each in folders} == ours - set(IGNORED)


def test_the_samples_of_reports_could_be_real() -> None:
    """They are of the solutions, but for 3.2, where the sleep blocks the loop."""
    tasks, checks = len(SYLLABUS.tasks), Catalog(COURSE, SYLLABUS)
    predict, wait = checks.task("task_3_1").values(), checks.task("task_3_2").values()
    failed = [check for check in wait if "_share_" in check.name or "meanwhile" in check.name]
    lost = sum(check.points for check in failed)
    counts = f"{len(wait) - len(failed)} passed, {len(failed)} failed"
    for sample in (
        f"# ML API lab: {10 * tasks - lost} of {10 * tasks} points",
        f"## Part 3: predictions: {30 - lost} of 30",
        f"| 3.1 Predict | 10 of 10 | {len(predict)} passed |",
        f"| 3.2 Async predictions | {10 - lost} of 10 | {counts} |",
        f'errors="0" failures="{len(failed)}" skipped="0" tests="{len(checks)}"',
        f'<property name="score" value="{10 * tasks - lost}" />',
        f'<property name="maximum" value="{10 * tasks}" />',
        f'"output": "{10 * tasks - lost} of {10 * tasks} points."',
        f'"output": "{failed[0].title}  (0 of {failed[0].points} points) ..."',
        f'"score": {10 * tasks - lost},\n  "max-score": {10 * tasks}',
        f'"score": {(10 - lost) / 10},\n  "message": "{10 - lost} of 10 points.',
        f"Only 1 of {tasks} tasks was graded: at most 10 of the course's {10 * tasks} points.",
    ):
        assert sample in CI
    names = re.findall(r'"(?:test-)?name": "(.*?)"', CI)
    assert names == [f"3.2 {failed[0].title}"] * 3


def test_the_sample_card_is_a_real_one() -> None:
    sample = re.search(r"this check again:\n\n```\n(.*?)```", STUDENTS, re.DOTALL)
    assert sample is not None
    cards = (COURSE / "tests" / "proofs" / "cards" / "task_0_3.txt").read_text(encoding="utf-8")
    card, seed, end = sample[1].rpartition(" --seed=198261")  # the kept cards are without one
    assert seed and card + end in cards


OF_OTHERS = {
    'Error importing plugin "ml_api_lab.plugin"': "pytest",
    "No matching distribution found": "pip",
    "lab: command not found": "a shell",
}


def test_the_messages_are_those_of_the_lab() -> None:
    page = (COURSE / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    said = {message for cell in cells for message in re.findall(r"`(.*?)`", cell)}
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (COURSE / "shared").rglob("*.py")
    )
    text = re.sub(r'"\s+f?"', "", sources)
    assert len(said) > 10
    assert sorted(each for each in said - OF_OTHERS.keys() if each not in text) == []


def test_the_index_lists_all_pages() -> None:
    index = COURSE / "docs" / "README.md"
    listed = set(
        re.findall(r"^\| \[.*?\]\((.*?)\)", index.read_text(encoding="utf-8"), re.MULTILINE)
    )
    pages = {path.name for path in index.parent.glob("*.md")} - {"README.md"}
    assert listed == pages | {"../CONTRIBUTING.md"}
