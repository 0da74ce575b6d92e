"""What an image installs: which packages its build asks for, and when.

Nothing is installed and no code is run; names are read from `RUN` lines and from the files that
list requirements.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from checks.support.requirements import decode
from ml_api_lab.check import parse
from ml_api_lab.images.image import File, Image, RunStep

_INSTALLS = re.compile(
    r"\b(pip3?|uv|poetry|pdm|pipenv|conda|mamba|micromamba|hatch)\b[^\n]*?\b(install|sync|wheel|add)\b"
)
_FROM_LIST = re.compile(
    r"(\s-r\s*\S|--requirements?\b|\bsync\b|\b(poetry|pdm|pipenv)\b.*\binstall\b|\binstall\b.*\s\."
    r"|pyproject|--group\b|\bwheels?\b)"
)
_LISTS = re.compile(
    r"(requirements[\w.-]*\.(txt|in)|requirements/.*\.(txt|in)|constraints[\w.-]*\.txt|"
    r"pyproject\.toml|uv\.lock|poetry\.lock|pdm\.lock|pylock[\w.]*\.toml|Pipfile(\.lock)?|"
    r"environment\.ya?ml|setup\.(py|cfg))$"
)
_INCLUDED_FILE = re.compile(r"\s*(?:-r|--requirement)[ =]*(\S+)")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[\w, -]*\])?")
_PACKAGES_OF_SERVERS = {"fastapi": "fastapi-cli"}
SERVERS = ("uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "fastapi")


def install_steps(image: Image) -> list[RunStep]:
    """Return the `RUN` lines that install packages; those that take them from a list, if any."""
    lines = sorted(image.run_steps(), key=lambda step: step.line)
    steps = [step for step in lines if _INSTALLS.search(step.text)]
    return [step for step in steps if _FROM_LIST.search(step.text)] or steps


def code_copied_before(step: RunStep) -> list[tuple[str, int]]:
    """Return the code that was there before that line, with the lines that brought it."""
    return [
        (file.origin, file.line)
        for file in step.files.values()
        if file.origin is not None and file.origin.endswith(".py") and file.origin != "setup.py"
    ]


def missing_requirements_file(image: Image, step: RunStep) -> tuple[str, bool] | None:
    """Return the list that the line installs from but cannot find, and whether it is at hand."""
    commands = [each for each in re.split(r"&&|[;|\n]", step.text) if _INSTALLS.search(each)]
    named = re.findall(r"\s(?:-r|--requirements?)[ =]*([^\s;&|]+)", " ; ".join(commands))
    earlier = [each.text for each in image.run_steps() if each.line < step.line]
    for name in (each.strip("\"'") for each in named):
        path = str(PurePosixPath(step.workdir) / name)
        base = PurePosixPath(name).name
        is_in_context = base in {PurePosixPath(each).name for each in image.context.files}
        is_visible = path in step.files or step.mounted or any(base in text for text in earlier)
        # Another command of the line may write it.
        is_plain_path = re.fullmatch(r"(?!/dev/)[\w./-]+", name) and step.text.count(base) == 1
        if not is_visible and (is_in_context or is_plain_path):
            return str(name), is_in_context
    return None


def installed_packages(image: Image) -> set[str]:
    """Return the canonical names of what the build asks for, with what that brings along."""
    found: set[str] = set()
    pending = list(_requested(image))
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        name_with_extras = f"{name}[{','.join(sorted(requirement.extras))}]"
        if name_with_extras in found:
            continue
        found |= {name, name_with_extras}
        try:
            dependencies = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for dependency in map(Requirement, dependencies):
            extras = requirement.extras or {""}
            if dependency.marker is None or any(
                dependency.marker.evaluate({"extra": e}) for e in extras
            ):
                pending.append(dependency)
    return found


def needed_packages(image: Image) -> dict[str, str]:
    """Return the packages that the image cannot do without, each with who needs it."""
    found = {"scikit-learn": "the pickled models"}
    for word in " ".join(image.start).replace("'", " ").split():
        server = PurePosixPath(word).name
        if server in SERVERS:
            found[_PACKAGES_OF_SERVERS.get(server, server)] = "the start command"
    local = {PurePosixPath(name).stem for name in image.files if name.endswith(".py")}
    local |= {part for name in image.files for part in PurePosixPath(name).parts}
    providers = metadata.packages_distributions()
    for name, file in image.files.items():
        if file.origin is None or not name.endswith(".py"):
            continue
        for module in _imports(file):
            if (
                module in providers
                and module not in local
                and module not in sys.stdlib_module_names
            ):
                found.setdefault(canonicalize_name(providers[module][0]), PurePosixPath(name).name)
    return found


def _imports(file: File) -> Iterator[str]:
    """Yield the modules that a file imports when it is imported itself."""
    content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
    try:
        pending: list[ast.AST] = list(parse(content).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.ClassDef | ast.With):
            pending += node.body


def _requested(image: Image) -> Iterator[Requirement]:
    for stage in image.stages:
        for step in stage.steps:
            if not _INSTALLS.search(step.text):
                continue
            yield from _requirements_in_text(step.text)
            for name, file in step.files.items():
                if _LISTS.search(name):
                    yield from _requirements_in_file(name, file, step.files)
            for name in step.mounted:
                for path in image.context.files:
                    if _LISTS.search(path) and (path == name or name in ("", ".")):
                        yield from _requirements_in_file(
                            path, File(image.context.files[path], path, 0, False)
                        )


def _requirements_in_file(
    name: str, file: File, others: Mapping[str, File] | None = None
) -> Iterator[Requirement]:
    """Yield what a list asks for, and what the lists do that it names among the others."""
    content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
    text = decode(content)
    if name.endswith("pyproject.toml"):
        try:
            yield from _requirements_of_project(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, AttributeError, TypeError):
            return
    elif name.endswith((".txt", ".in")):
        for line in text.splitlines():
            if included := _INCLUDED_FILE.match(line):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), included[1]))
                rest = {each: other for each, other in (others or {}).items() if each != name}
                if path in rest:
                    yield from _requirements_in_file(path, rest[path], rest)
                continue
            try:
                yield Requirement(line.split(" #")[0].split(" --")[0].strip(" \t\\"))
            except InvalidRequirement:
                continue
    else:
        yield from _requirements_in_text(text)


def _requirements_of_project(content: dict[str, object]) -> Iterator[Requirement]:
    project = content.get("project", {})
    assert isinstance(project, dict)
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    groups = content.get("dependency-groups", {})
    assert isinstance(groups, dict)
    for each in [*lists, *groups.values()]:
        yield from _requirements_in_text("\n".join(text for text in each if isinstance(text, str)))
    yield from _requirements_in_text(str(content.get("tool", "")))


def _requirements_in_text(text: str) -> Iterator[Requirement]:
    for found in _WORD.finditer(text):
        try:
            yield Requirement(found[0].rstrip("._-"))
        except InvalidRequirement:
            continue
