"""`lab read`: the task's page without its hints, in a pager where there is a terminal."""

from __future__ import annotations

import pytest

from tests.proofs.prover import COURSE
from tests.support.lab import Lab
from tests.support.terminal import Terminal, in_a_terminal


def test_it_shows_what_to_build_and_no_hint(lab: Lab) -> None:
    said = lab("read", "0.1")
    assert (said.status, said.err) == (0, "")
    assert said.lines == ["Build it.", "Hints, one at a time: lab hint 0.1"]
    assert lab("read", here="exercises/task_0_1").out == said.out
    assert lab("hint", "0.1").out.startswith("Look.")  # reading has shown none


def test_a_page_of_the_lab_is_shown_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Lab(COURSE, monkeypatch, capsys)("read", "3.2")
    assert said.lines[0] == "# Task 3.2: Async predictions"
    assert "<details>" not in said.out and "Which of the\ntwo may block?" not in said.out
    assert said.out.count("lab hint 3.2") == 1
    assert "**Think about it:**" in said.out.partition("lab hint 3.2")[2]


@in_a_terminal
def test_in_a_terminal_a_pager_shows_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "sed s/^/paged:/")
    terminal = Terminal(lab.course, "read", "0.1")
    try:
        terminal.expect("paged:Build it")
        assert terminal.status() == 0
    finally:
        terminal.close()


def test_a_task_without_a_page_is_told(lab: Lab) -> None:
    said = lab("read", "0.2")
    assert (said.status, said.out) == (4, "")
    assert said.err.startswith("checks/task_0_2/README.md cannot be read (")
