"""Each command of README.md, CONTRIBUTING.md and docs/ is right, and has a way to be run.

Nothing is run here: `tox -e docs` does that.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages.commands import HANDOUT, PAGES, Command, fault, in_blocks, in_text
from tests.pages.ways import ELSEWHERE, WAYS, Elsewhere, NotRun, Way
from tests.proofs.prover import COURSE

_IN_POWERSHELL = re.compile(r"^py -m|\.venv\\Scripts\\(\w+)")
BLOCKS = [each for page in PAGES if page != HANDOUT for each in in_blocks(page)]
POWERSHELL = [each.text for each in BLOCKS if each.text.startswith("py ")]


@pytest.fixture(scope="module")
def options(request: pytest.FixtureRequest) -> set[str]:
    return set(vars(request.config.option))


def test_each_command_of_a_block_has_a_way_to_be_run() -> None:
    shown: dict[str, list[str]] = {}
    for each in BLOCKS:
        shown.setdefault(each.page, []).append(each.text)
    assert {page: texts for page, texts in shown.items() if page not in ELSEWHERE} == {
        page: list(ways) for page, ways in WAYS.items()
    }
    assert shown.keys() >= ELSEWHERE.keys()


def test_what_is_run_elsewhere_is_run_there() -> None:
    commands: list[tuple[str, Way]] = [each for ways in WAYS.values() for each in ways.items()]
    for text, way in [*commands, *ELSEWHERE.items()]:
        if isinstance(way, Elsewhere):
            there = (COURSE / way.file).read_text(encoding="utf-8")
            is_the_test = way.file in text and "\ndef test_" in there
            assert is_the_test or text in there, text


def test_what_is_not_run_says_why() -> None:
    reasons = [
        each.reason for ways in WAYS.values() for each in ways.values() if isinstance(each, NotRun)
    ]
    assert all(len(reason.split()) >= 4 for reason in reasons)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(COURSE).as_posix())
def test_no_command_has_a_fault(page: Path, options: set[str]) -> None:
    found = [*in_text(page), *(in_blocks(page) if page != HANDOUT else ())]
    to_look_at = [each for each in found if each.text not in POWERSHELL]
    faults = [(str(each), wrong) for each in to_look_at if (wrong := fault(each.text, options))]
    assert faults == []


def test_powershell_has_the_same_commands() -> None:
    posix = [each.text for each in BLOCKS if each.text.startswith("python3 -m venv")][:2]
    assert [
        _IN_POWERSHELL.sub(lambda match: match[1] or "python3 -m", text).replace(";", " &&")
        for text in POWERSHELL
    ] == [text.replace(" . .venv/bin/activate &&", "") for text in posix]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("lab wach 3.2", "lab has no command wach"),
        ("lab run 3.2 --sead=1", "No such option '--sead'"),
        ("lab class grade submissions/ --to run", "No such option '--to'"),
        ("pytest checks/task_7_7", "there is no checks/task_7_7"),
        ("LAB_TREE=solutions pytest --three=solutions", "pytest has no option --three"),
        ("cd exercises && pytest --forever", "pytest has no option --forever"),
        ("tox -e docks", "tox.ini has no environment docks"),
        ("tox -e lint,docks -- --runs 3", "tox.ini has no environment docks"),
        ("python benchmarks/nothing.py", "there is no benchmarks/nothing.py"),
        ("python -m tests.proofs.nothing", "there is no module tests.proofs.nothing"),
        ('pip install -e ".[everything]"', "the package has no extra everything"),
        ("python -m pip install -c nothing.txt -e .", "there is no nothing.txt"),
        ("wget example.org", "wget is no program that the pages use"),
    ],
)
def test_a_fault_is_found(text: str, wrong: str, options: set[str]) -> None:
    assert (fault(text, options) or "").startswith(wrong)


def test_commands_are_found_where_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.pages.commands.COURSE", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "Call `lab run\n3.2`, or `lab`.\n\n```console\n$ lab list   # all\n\n```\n\n"
        "```python\nlab = 1\n```\n\n```sh name\n#!/bin/sh\npytest checks\n```\n",
        encoding="utf-8",
    )
    assert list(in_text(page)) == [Command("page.md", 1, "lab run 3.2")]
    assert list(in_blocks(page)) == [
        Command("page.md", 5, "lab list"),
        Command("page.md", 15, "pytest checks"),
    ]
