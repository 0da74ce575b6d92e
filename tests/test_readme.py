"""What the README says is so: its commands, its links, its sample."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.proofs import COURSE

README = (COURSE / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(python3 -m venv .*)$", README, re.MULTILINE)
PAGES = [COURSE / "README.md", COURSE / "CONTRIBUTING.md", COURSE / "docs" / "ci.md"]
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


def test_the_sample_card_is_a_real_one() -> None:
    sample = re.search(r"runs this check again:\n\n```\n(.*?)```", README, re.DOTALL)
    assert sample is not None
    assert sample[1] in (COURSE / "tests" / "cards" / "task_0_3.txt").read_text(encoding="utf-8")
