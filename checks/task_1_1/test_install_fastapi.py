"""Checks of task 1.1."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING

from checks.support.requirements import invalid_lines, package_names, read, readable_requirements
from ml_api_lab.check import Hinted, Task, points

if TYPE_CHECKING:
    from packaging.requirements import Requirement

FILE = "requirements.txt"


@points(2, hint="Which package do you import, and does a line name it?")
async def test_fastapi_is_listed(task: Task) -> None:
    """It lists fastapi."""
    _expect_listed(task, "fastapi")


@points(2, hint="Which program starts the application, and does a line name it?")
async def test_uvicorn_is_listed(task: Task) -> None:
    """It lists uvicorn."""
    _expect_listed(task, "uvicorn")


@points(2, hint="A line is one name, and perhaps a version. Which signs may stand between the two?")
async def test_every_line_is_a_requirement(task: Task) -> None:
    """Every line is a requirement, a comment or blank."""
    text = read(task, FILE)
    for number, line in invalid_lines(text):
        if line.startswith("-"):
            continue  # whether there are options of pip's is another check's question
        sentence = (
            f"Line {number} of {FILE} is {line!r}; right is a requirement such as fastapi>=0.115."
        )
        if re.match(r"\S*pip3? |\S*python\S* ", line):
            raise Hinted(
                sentence,
                "Who reads this file: a terminal that runs commands, or pip, which is told what to "
                "install?",
            )
        raise AssertionError(sentence)
    _requirements(task)


@points(2, hint="What should be true of the packages on a machine that has only this file?")
async def test_no_line_is_an_option(task: Task) -> None:
    """No line is an option of pip's, such as -r or --index-url."""
    text = read(task, FILE)
    for number, line in invalid_lines(text):
        assert not line.startswith("-"), (
            f"Line {number} of {FILE} is {line!r}, an option of pip's; right is to list packages."
        )
    _requirements(task)


@points(2, hint="Compare your lines with what `pip list` shows.")
async def test_the_installed_versions_satisfy_it(task: Task) -> None:
    """The versions that are installed satisfy it."""
    for requirement in _requirements(task):
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            # Other packages may be listed and need not be installed where this is graded.
            continue
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{FILE} asks for {requirement}, and {requirement.name} {version} is installed; right "
            "is a version that both agree on."
        )


def _requirements(task: Task) -> list[Requirement]:
    """Return what the file lists, in lines that are no requirement as well; assert that it does.

    A sentence has words enough that could be packages: it is a list only if it names one of ours.
    """
    text = read(task, FILE)
    assert not {"fastapi", "uvicorn"}.isdisjoint(package_names(text)), (
        f"{FILE} lists neither fastapi nor uvicorn yet; right is a line for each."
    )
    return readable_requirements(text)


def _expect_listed(task: Task, name: str) -> None:
    found = package_names(read(task, FILE))
    shown = ", ".join(found) if found else "no package"
    assert name in found, f"{FILE} lists {shown}; right is a line for {name} itself."
