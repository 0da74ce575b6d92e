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
from functools import cache, lru_cache
from importlib import metadata
from pathlib import PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checks.support.requirements import decode, holds_here, parse_requirement
from ml_api_lab.check import parse
from ml_api_lab.images.image import File, Image, RunStep

# Of each pair, the second somewhere behind the first on a line: in one expression each of many
# firsts would look through the whole line.
_INSTALLS = (
    re.compile(r"\b(pip3?|uv|poetry|pdm|pipenv|conda|mamba|micromamba|hatch)\b"),
    re.compile(r"\b(install|sync|wheel|add)\b"),
)
_FROM_LOCK = re.compile(r"\b(poetry|pdm|pipenv)\b"), re.compile(r"\binstall\b")
_FROM_FOLDER = re.compile(r"\binstall\b"), re.compile(r"\s\.")
_FROM_LIST = re.compile(r"(\s-r\s*\S|--requirements?\b|\bsync\b|pyproject|--group\b|\bwheels?\b)")
_LISTS = re.compile(
    r"(requirements[\w.-]*\.(txt|in)|requirements/.*\.(txt|in)|constraints[\w.-]*\.txt|"
    r"pyproject\.toml|uv\.lock|poetry\.lock|pdm\.lock|pylock[\w.]*\.toml|Pipfile(\.lock)?|"
    r"environment\.ya?ml|setup\.(py|cfg))$"
)
_INCLUDED_FILE = re.compile(r"\s*(?:-r|--requirement)[ =]*(\S+)")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[\w, -]*\])?")
_MAX_LISTS = 50
_MAX_LINES = 2_000
_MAX_WORDS = 2_000
_MAX_PACKAGES = 1_000
"""How many lists of requirements are read, lines and words of each, and packages looked up."""

_BARE_BASES = r"(^|/)(python|python3[\w-]*|debian|ubuntu|alpine|uv|distroless/\S+)$"
_PACKAGES_OF_SERVERS = {"fastapi": "fastapi-cli"}
SERVERS = ("uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "fastapi")


def split_reference(reference: str) -> tuple[str, str, str]:
    """Return an image's name, tag and digest; what is missing is empty."""
    rest, _, digest = reference.partition("@")
    head, slash, last = rest.rpartition("/")
    last, _, tag = last.partition(":")
    return head + slash + last, tag, digest


def has_bare_base(image: Image) -> bool:
    """Whether the base is one that brings neither packages nor files of its own."""
    return re.search(_BARE_BASES, split_reference(image.base)[0]) is not None


def install_steps(image: Image) -> list[RunStep]:
    """Return the `RUN` lines that install packages; those that take them from a list, if any."""
    lines = sorted(image.run_steps(), key=lambda step: step.line)
    steps = [step for step in lines if _has_in_order(_INSTALLS, step.text)]
    return [step for step in steps if _takes_from_list(step.text)] or steps


def _takes_from_list(text: str) -> bool:
    return (
        _FROM_LIST.search(text) is not None
        or _has_in_order(_FROM_LOCK, text)
        or _has_in_order(_FROM_FOLDER, text)
    )


def _has_in_order(pair: tuple[re.Pattern[str], re.Pattern[str]], text: str) -> bool:
    """Whether a line of the text has the first, and behind it the second."""
    for line in text.split("\n"):
        if (found := pair[0].search(line)) and pair[1].search(line, found.end()):
            return True
    return False


def code_copied_before(step: RunStep) -> list[tuple[str, int]]:
    """Return the code that was there before that line, with the lines that brought it."""
    return [
        (file.origin, file.line)
        for file in step.files.values()
        if file.origin is not None and file.origin.endswith(".py") and file.origin != "setup.py"
    ]


def missing_requirements_file(image: Image, step: RunStep) -> tuple[str, bool] | None:
    """Return the list that the line installs from but cannot find, and whether it is at hand."""
    commands = re.split(r"&&|[;|\n]", step.text)
    commands = [each for each in commands if _has_in_order(_INSTALLS, each)]
    named = re.findall(r"\s(?:-r|--requirements?)[ =]*([^\s;&|]+)", " ; ".join(commands))
    in_context = {PurePosixPath(each).name for each in image.context.files}
    earlier = [each.text for each in image.run_steps() if each.line < step.line]
    for name in (each.strip("\"'") for each in named[:_MAX_LISTS]):
        path = str(PurePosixPath(step.workdir) / name)
        base = PurePosixPath(name).name
        is_in_context = base in in_context
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
        if len(found) > _MAX_PACKAGES:
            break
        name_with_extras = f"{name}[{','.join(sorted(requirement.extras))}]"
        if name_with_extras in found:
            continue
        found |= {name, name_with_extras}
        for dependency in _dependencies(name):
            extras = requirement.extras or {""}
            if any(holds_here(dependency, each) for each in extras):
                pending.append(dependency)
    return found


@lru_cache(maxsize=_MAX_PACKAGES)
def _dependencies(name: str) -> tuple[Requirement, ...]:
    """Return what a package asks for, if it is installed here."""
    try:
        return tuple(map(Requirement, metadata.requires(name) or []))
    except (metadata.PackageNotFoundError, OSError):  # not here, or no name of a file even
        return ()


@cache
def _providers() -> Mapping[str, list[str]]:
    """Return the packages that are installed here, by the names of their modules."""
    return metadata.packages_distributions()


def needed_packages(image: Image) -> dict[str, str]:
    """Return the packages that the image cannot do without, each with who needs it."""
    found = {"scikit-learn": "the pickled models"}
    for word in " ".join(image.start).replace("'", " ").split():
        server = PurePosixPath(word).name
        if server in SERVERS:
            found[_PACKAGES_OF_SERVERS.get(server, server)] = "the start command"
    local = {PurePosixPath(name).stem for name in image.files if name.endswith(".py")}
    local |= {part for name in image.files for part in PurePosixPath(name).parts}
    providers = _providers()
    for name, file in image.files.items():
        if file.origin is None or not name.endswith(".py"):
            continue
        for module in _imports(image.content(file)):
            if (
                module in providers
                and module not in local
                and module not in sys.stdlib_module_names
            ):
                found.setdefault(canonicalize_name(providers[module][0]), PurePosixPath(name).name)
    return found


def _imports(source: bytes) -> Iterator[str]:
    """Yield the modules that a file imports when it is imported itself."""
    try:
        pending: list[ast.AST] = list(parse(source).body)
    except (SyntaxError, ValueError):
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
    lists = _Lists(image)
    for step in image.run_steps():
        if not _has_in_order(_INSTALLS, step.text):
            continue
        yield from _requirements_in_text(step.text)
        for name, file in step.files.items():
            if lists.is_list(name):
                yield from lists.requirements(name, file, step.files)
        for name in step.mounted[:_MAX_LISTS]:
            for path in image.context.files:
                if (path == name or name in ("", ".")) and lists.is_list(path):
                    file = File(image.context.files[path], path, 0, False)
                    yield from lists.requirements(path, file, {})


class _Lists:
    """The lists of requirements of an image, each read once, however many lines name it."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._read: set[tuple[str, int]] = set()
        self.is_list = cache(lambda name: _LISTS.search(name) is not None)

    def requirements(
        self, name: str, file: File, others: Mapping[str, File]
    ) -> Iterator[Requirement]:
        """Yield what a list asks for, and what the lists do that it names among the others."""
        pending = [(name, file)]
        while pending:
            name, file = pending.pop()
            key = name, hash(file.content)
            if key in self._read or len(self._read) >= _MAX_LISTS:
                continue
            self._read.add(key)
            text = decode(self._image.content(file))
            if name.endswith("pyproject.toml"):
                yield from _requirements_of_project(text)
            elif name.endswith((".txt", ".in")):
                yield from _requirements_in_lines(text)
                pending += [
                    (path, others[path])
                    for line in text.splitlines()
                    if (found := _INCLUDED_FILE.match(line))
                    and (path := _joined(posixpath.dirname(name), found[1])) in others
                ]
            else:
                yield from _requirements_in_text(text)


def _joined(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _requirements_in_lines(text: str) -> Iterator[Requirement]:
    for line in text.splitlines()[:_MAX_LINES]:
        if _INCLUDED_FILE.match(line):
            continue
        found = parse_requirement(line.split(" #")[0].split(" --")[0].strip(" \t\\"))
        if found is not None:
            yield found


def _requirements_of_project(text: str) -> Iterator[Requirement]:
    try:
        content = tomllib.loads(text)
        project = content.get("project", {})
        extras = project.get("optional-dependencies", {}).values()
        groups = content.get("dependency-groups", {}).values()
        lists = [project.get("dependencies", []), *extras, *groups]
        texts = ["\n".join(each for each in texts if isinstance(each, str)) for texts in lists]
        texts.append(str(content.get("tool", "")))
    except (AttributeError, TypeError, ValueError, RecursionError):
        return  # no such file, or none that says so in the way that it must
    for each in texts:
        yield from _requirements_in_text(each)


def _requirements_in_text(text: str) -> Iterator[Requirement]:
    words = dict.fromkeys(found[0].rstrip("._-") for found in _WORD.finditer(text))
    for word in list(words)[:_MAX_WORDS]:
        if (found := parse_requirement(word)) is not None:
            yield found
