"""Checks of task 1.1."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from checks.support.requirements import (
    commented,
    invalid_lines,
    lines_for_elsewhere,
    package_names,
    parse_requirement,
    read,
    readable_requirements,
)
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
        words = line.split()
        if [word.lower() for word in words] == ["package", "version"]:
            raise Hinted(
                sentence,
                "Which command has printed this line? `pip freeze` prints lines of another form.",
            )
        if re.match(r"\S*pip3? |\S*python\S* ", line):
            raise Hinted(
                sentence,
                "Who reads this file: a terminal that runs commands, or pip, which is told what to "
                "install?",
            )
        if len(words) > 1 and all(parse_requirement(word) for word in words):
            raise Hinted(
                f"Line {number} of {FILE} is {line!r}, {len(words)} names; right is one "
                "requirement on each line, such as fastapi>=0.115.",
                "How does pip see where one package ends and the next one begins?",
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
    text = read(task, FILE)
    if name in package_names(text):
        return
    right = f"right is a line for {name} itself"
    for number, requirement in lines_for_elsewhere(text):
        if canonicalize_name(requirement.name) == name:
            raise Hinted(
                f"Line {number} of {FILE} lists {name} only where {requirement.marker}, which is "
                f"not so on this machine; {right}.",
                "On which machines does pip install what has a condition behind a semicolon?",
            )
    listed = readable_requirements(text)
    shown = ", ".join(_with_extras(each) for each in listed) if listed else "no package"
    if comment := commented(text, name):
        raise Hinted(
            f"{FILE} lists {shown}, and has {name} only in a comment, {comment!r}; {right}.",
            "What does pip do with what stands behind a #?",
        )
    if any(each.extras for each in listed):
        raise Hinted(
            f"{FILE} lists {shown}; {right}.",
            "What stands in brackets is chosen by another package's authors. Which package do you "
            "start the application with yourself?",
        )
    raise AssertionError(f"{FILE} lists {shown}; {right}.")


def _with_extras(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{canonicalize_name(requirement.name)}{extras}"
