"""The examples of the handout and of the tasks' pages do what the text says, in lab time.

A block of Python is a whole program. Behind it may come the block of what it prints, under a line
such as "It prints, in 3 s:". If it makes an `app`, a block of shell commands comes behind it, and
then the block of what `curl` prints ("It answers:") or of what the application prints ("The server
prints:"). On a task's page, the commands are carried out with the task's reference solution.

A block that cannot be run has a comment above it, `<!-- not run: reason -->`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from checks.task_3_1.trained_models import place_trained_models
from ml_api_lab.check import Clock, Run, Task, seconds
from tests.handout.markdown import Block, blocks
from tests.handout.player import Player
from tests.handout.shell import Session, parse
from tests.proofs.prover import COURSE

HANDOUT = COURSE / "docs" / "lab.md"
PAGES = sorted((COURSE / "checks").glob("task_*/README.md"))
NEVER_RUN = ("mermaid", "powershell")
"""A drawing, which the reader's browser makes of its text; and a shell that only Windows brings."""

_PRINTS = re.compile(r"It prints, (?:in (\d+(?:\.\d+)?) s|at once):")
_REASONS = (
    "needs Docker",
    "needs an account with Google Cloud",
    "needs an account with Azure",
    "needs a package index",
    "a real server on a real port; the checks of this task start it",
)


@dataclass
class Example:
    """A program of the handout, and the blocks behind it that speak of it."""

    program: Block
    behind: list[Block] = field(default_factory=list)

    @property
    def is_served(self) -> bool:
        return "app = FastAPI(" in self.program.text

    def __str__(self) -> str:
        return f"line {self.program.line}"


def examples() -> list[Example]:
    found: list[Example] = []
    for block in _to_run(HANDOUT):
        if block.language == "python":
            found.append(Example(block))
        else:
            assert found, f"{HANDOUT.name}:{block.line} stands before any program"
            found[-1].behind.append(block)
    return found


def _to_run(page: Path) -> Iterator[Block]:
    for block in blocks(page):
        if block.reason is None and block.language not in NEVER_RUN:
            yield block


@pytest.mark.parametrize("example", [each for each in examples() if not each.is_served], ids=str)
def test_a_program_prints_what_the_text_says(example: Example, player: Player) -> None:
    async def scene(task: Task, clock: Clock) -> Run:
        return await task.run("main.py")

    (said,) = example.behind
    run = player.program(example.program.text, scene)
    assert run.output + "\n" == said.text
    match = _PRINTS.fullmatch(said.lead)
    assert match, f"{said.lead!r} does not say how long it takes"
    assert run.elapsed == seconds(float(match[1] or 0))


@pytest.mark.parametrize("example", [each for each in examples() if each.is_served], ids=str)
def test_an_application_answers_what_the_text_says(example: Example, player: Player) -> None:
    commands, *said = example.behind
    assert commands.language == "sh"
    assert said or any(each.comment for each in parse(commands.text)), "the text says nothing"

    async def scene(task: Task, clock: Clock) -> tuple[list[str], list[str]]:
        session = Session(task, clock)
        await session.run(commands.text)
        await session.close()
        return session.bodies, [line.text for line in task.transcript.lines]

    bodies, printed = player.program(example.program.text, scene)
    for block in said:
        if block.lead == "It answers:":
            assert list(map(json.loads, bodies)) == _values(block.text)
        else:
            assert block.lead == "The server prints:"
            assert "\n".join(printed) + "\n" == block.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_commands_of_a_task_do_what_its_page_says(page: Path, player: Player) -> None:
    to_run = list(_to_run(page))
    commands = [block for block in to_run if block.language == "sh"]
    samples = [block for block in to_run if block.language == "json"]
    outputs = [block for block in to_run if block.language == "text"]
    assert len(to_run) == len(commands) + len(samples) + len(outputs)
    name = page.parent.name

    async def scene(task: Task, clock: Clock) -> tuple[Session, list[str]]:
        if name in _WITH_MODELS:
            await place_trained_models(task)
        task.files.remove("predictions.jsonl")
        session = Session(task, clock)
        for block in commands:
            await session.run(block.text)
        await session.close()
        written = "predictions.jsonl"
        log = task.files.text(written) if task.files.exists(written) else ""
        printed = [line.text for line in task.transcript.lines]
        return session, [*session.bodies, *session.sent, *printed, *log.splitlines()]

    session, seen = player.solution(name, scene, trained=name in _WITH_MODELS or name == "task_2_1")
    for block in outputs:
        assert _follow(block.text.splitlines(), session.output), f"{page}:{block.line}"
    values = [value for text in seen for value in _parsed(text)]
    for block in samples:
        (sample,) = _values(block.text)
        assert any(_fits(sample, value) for value in values), f"{page}:{block.line} is not seen"


def test_what_is_not_run_says_why() -> None:
    for page in [HANDOUT, *PAGES]:
        for block in blocks(page):
            assert block.reason is None or block.reason in _REASONS, f"{page}:{block.line}"


_WITH_MODELS = {page.parent.name for page in PAGES if "task_2_1" < page.parent.name < "task_5_1"}
"""The tasks whose applications are tried with models that scikit-learn has trained."""


def _follow(lines: list[str], outputs: list[str]) -> bool:
    """Return whether these lines come in this order in one of the outputs."""
    for output in outputs:
        rest = iter(output.splitlines())
        if all(line in rest for line in lines):
            return True
    return False


def _values(text: str) -> list[object]:
    """Return the JSON values that stand one behind the other."""
    decoder = json.JSONDecoder()
    values = []
    rest = text.lstrip()
    while rest:
        value, end = decoder.raw_decode(rest)
        values.append(value)
        rest = rest[end:].lstrip()
    return values


def _parsed(text: str) -> list[object]:
    try:
        return [json.loads(text)]
    except ValueError:
        return []


def _fits(sample: object, value: object) -> bool:
    """Return whether a sample shows that value; a text that ends in three dots is cut off there."""
    if isinstance(sample, str) and sample.endswith("..."):
        return isinstance(value, str)
    if isinstance(sample, dict) and isinstance(value, dict):
        return sample.keys() == value.keys() and all(_fits(sample[k], value[k]) for k in sample)
    return sample == value
