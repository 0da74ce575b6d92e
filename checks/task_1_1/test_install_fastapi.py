"""Checks of task 1.1."""

import importlib.metadata

from checks.support.requirements import invalid_lines, package_names, read, requirements_in
from ml_api_lab.check import Task, points

FILE = "requirements.txt"


@points(4, hint="Which two packages do you import or start, and does a line name each of them?")
async def test_both_packages_are_listed(task: Task) -> None:
    """It lists fastapi and uvicorn."""
    found = package_names(read(task, FILE))
    for name in ("fastapi", "uvicorn"):
        shown = ", ".join(found) if found else "no package"
        assert name in found, f"{FILE} lists {shown}; right is a line for {name} itself."


@points(3, hint="A line is a name, and perhaps a version. Has pip freeze written more into yours?")
async def test_every_line_is_a_requirement(task: Task) -> None:
    """Every line is a requirement, a comment or blank."""
    text = read(task, FILE)
    for number, line in invalid_lines(text):
        raise AssertionError(
            f"Line {number} of {FILE} is {line!r}; right is a requirement such as fastapi>=0.115."
        )
    assert requirements_in(text), f"{FILE} holds no requirement yet; right is one a line."


@points(3, hint="Compare your lines with what `pip list` shows.")
async def test_the_installed_versions_satisfy_it(task: Task) -> None:
    """The versions that are installed satisfy it."""
    text = read(task, FILE)
    assert requirements_in(text), f"{FILE} holds no requirement yet, so there is none to satisfy."
    for requirement in requirements_in(text):
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            # Other packages may be listed and need not be installed where this is graded.
            continue
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{FILE} asks for {requirement}, and {requirement.name} {version} is installed; right "
            "is a version that both agree on."
        )
