"""What an image would hold, told from its Dockerfile, its `.dockerignore` and its folder.

Nothing is built, and no `RUN` line is executed. What can be known without that is known: the base
image's name, variables, the working folder, the user, the start command, and every file that
`COPY` and `ADD` bring from the folder, through any number of stages. What a `RUN` line or another
image brings is not known, so nobody may be blamed for lacking it.

The parser is a port of BuildKit's own (e2b-dockerfile-utils): heredocs, continuations, comments,
both forms of a command, flags and quoting are read as Docker reads them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from e2b_dockerfile_utils import (
    DockerfileInstruction,
    ShellLex,
    parse_dockerfile_ast,
)

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.copying import FileCopy, Work, fault, joined
from ml_api_lab.images.image import BuildStage, Command, Image, RunStep
from ml_api_lab.sandbox.files.plain_file import read_plain

_REMOTE = re.compile(r"(https?|git|ssh)://|git@")

_MAX_BYTES = 64_000
_MAX_INSTRUCTIONS = 500

_MAX_VALUE_CHARACTERS = 4_000
_MAX_EXPANDED_CHARACTERS = 400_000
"""How long a word may become through its variables, and all words together."""

_MAX_TRIMMED_CHARACTERS = 1_000
_MAX_TRIMS = 100
"""How long a value may be that is trimmed by a pattern (`${NAME#*/}`), and how often it may be."""

_TRIM = re.compile(r"\$\{(\w+|[@*#?\-$!])[#%/]")

_PLATFORM = {
    f"{side}{part}": value
    for side in ("BUILD", "TARGET")
    for part, value in (("PLATFORM", "linux/amd64"), ("OS", "linux"), ("ARCH", "amd64"))
}


def read(folder: Path) -> Image:
    """Read the Dockerfile of that folder.

    Raises:
        SubmissionFault: there is none, or `docker build` would refuse it.
    """
    path = folder / "Dockerfile"
    if not path.is_file() or path.is_symlink() or path.name not in os.listdir(folder):
        near = next((p.name for p in folder.glob("*") if p.name.lower() == "dockerfile"), None)
        raise SubmissionFault(
            f"The Dockerfile is called {near}; Docker looks for the name Dockerfile."
            if near is not None
            else "There is no Dockerfile beside main.py."
        )
    data = read_plain(folder, path.name, _MAX_BYTES)
    if data is None:
        raise SubmissionFault(
            f"The Dockerfile has more than {_MAX_BYTES // 1000} kB; no image needs as much."
        )
    try:
        parsed = parse_dockerfile_ast(_without_wide_directives(data.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise SubmissionFault("The Dockerfile is not UTF-8 text.") from None
    except (ValueError, RecursionError) as error:
        reason = str(error).removeprefix("Dockerfile parse error").lstrip(": ")
        raise SubmissionFault(f"Docker cannot read the Dockerfile: {reason}.") from None
    if len(parsed.instructions) > _MAX_INSTRUCTIONS:
        raise SubmissionFault(
            f"The Dockerfile has more than {_MAX_INSTRUCTIONS} instructions; no image needs as "
            "many."
        )
    return _Builder(Context(folder), parsed.escape_token).build(parsed.instructions)


def _without_wide_directives(text: str) -> str:
    """Return the text with the blanks of its first comments drawn together.

    The parser looks there for directives, with an expression that tries all ways to divide blanks.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("#"):
            break
        lines[number] = " ".join(line.split())
    return "\n".join(lines)


class _Builder:
    """Follows the instructions from the first to the last."""

    def __init__(self, context: Context, escape: str) -> None:
        self._context = context
        self._escape = escape
        self._global_args: dict[str, str] = {}
        self._stages: list[BuildStage] = []
        self._work = Work()
        self._expansions = _Expansions()

    def build(self, instructions: list[DockerfileInstruction]) -> Image:
        for instruction in instructions:
            try:
                self._apply(instruction)
            except ValueError as error:
                raise fault(instruction, str(error)) from None
        if not self._stages:
            return Image(BuildStage("", 0), (), self._context)
        final = self._stages[-1]
        return Image(final, tuple(_stages_behind(final)), self._context)

    def _apply(self, instruction: DockerfileInstruction) -> None:
        name = instruction.name
        if not instruction.args and name in ("FROM", "COPY", "ADD", "USER", "WORKDIR", "RUN"):
            raise fault(instruction, f"{name} needs something after it")
        if name == "FROM":
            self._begin(instruction)
        elif not self._stages:
            if name != "ARG":
                raise fault(instruction, "the build begins with FROM, which names a base image")
            self._declare(instruction, self._global_args, {**_PLATFORM, **self._global_args})
        else:
            apply = getattr(self, f"_{name.lower()}", None)
            if apply is not None:
                apply(instruction, self._stages[-1])

    def _expand(self, word: str, variables: Mapping[str, str]) -> str:
        known = self._expansions.of(word, variables)
        lexer = ShellLex(self._escape, env=known, skip_unset_env=False)
        return self._expansions.count(lexer.process_word(word))

    def _expand_in(self, stage: BuildStage, word: str) -> str:
        return self._expand(word, {**stage.args, **stage.env})

    # --- stages -----------------------------------------------------------------------------------

    def _begin(self, instruction: DockerfileInstruction) -> None:
        base = self._expand(instruction.args[0], {**_PLATFORM, **self._global_args})
        if not base:
            raise fault(instruction, f"{instruction.args[0]} comes to nothing")
        name = None
        if len(instruction.args) == 3 and instruction.args[1].upper() == "AS":
            name = instruction.args[2].lower()
        elif len(instruction.args) != 1:
            raise fault(instruction, "FROM takes an image, and AS with a name for the stage")
        parent = self._stage_named(base)
        if parent is None:
            self._stages.append(BuildStage(base, instruction.start_line, name, user=_user_of(base)))
            self._stages[-1].entrypoint = _entrypoint_of(base)
            return
        self._work.add(len(parent.files) + len(parent.folders))
        stage = replace(
            parent,
            base=base,
            line=instruction.start_line,
            name=name,
            parent=parent,
            env=dict(parent.env),
            args={},
            ports=list(parent.ports),
            files=dict(parent.files),
            folders=set(parent.folders),
            steps=list(parent.steps),
            sources=[],
            images=[],
            declared=set(),
        )
        self._stages.append(stage)

    def _stage_named(self, name: str) -> BuildStage | None:
        return next((s for s in reversed(self._stages) if s.name == name.lower()), None)

    # --- variables and settings -------------------------------------------------------------------

    def _declare(
        self, instruction: DockerfileInstruction, into: dict[str, str], known: Mapping[str, str]
    ) -> None:
        for each in instruction.args:
            name, given, value = each.partition("=")
            if given:
                into[name] = self._expand(value, {**known, **into})
            elif name in self._global_args or name in _PLATFORM:
                into[name] = {**_PLATFORM, **self._global_args}[name]

    def _arg(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.declared.update(each.partition("=")[0] for each in instruction.args)
        self._declare(instruction, stage.args, {**stage.args, **stage.env})

    def _env(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        words = instruction.args
        new = {
            self._expand_in(stage, words[i]): self._expand_in(stage, words[i + 1])
            for i in range(0, len(words) - 1, 3)
        }
        stage.env.update(new)

    def _workdir(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.workdir = joined(stage.workdir, self._expand_in(stage, instruction.args[0]))
        stage.folders.add(stage.workdir)

    def _user(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.user = self._expand_in(stage, instruction.args[0])

    def _stopsignal(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.stop_signal = self._expand_in(stage, instruction.args[0])

    def _expose(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.ports += [self._expand_in(stage, each) for each in instruction.args]

    def _shell(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        if not instruction.json:
            raise fault(instruction, 'SHELL takes a list, such as ["/bin/bash", "-c"]')
        stage.shell = tuple(instruction.args)

    def _cmd(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.command = _command(instruction)

    def _entrypoint(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        stage.entrypoint = _command(instruction)
        inherited = stage.parent.command if stage.parent is not None else None
        if stage.command is inherited:
            stage.command = None

    def _run(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        text = " ".join([*instruction.args, *(each.content for each in instruction.heredocs)])
        mounted = tuple(
            options.get("source", options.get("src", "."))
            for flag in instruction.flags
            if (options := _options(flag, "--mount=")).get("type") == "bind"
            and "from" not in options
        )
        line, workdir = instruction.start_line, stage.workdir
        self._work.add(len(stage.files))
        stage.steps.append(RunStep(text, line, workdir, mounted, dict(stage.files)))

    # --- files ------------------------------------------------------------------------------------

    def _add(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        self._copy(instruction, stage)

    def _copy(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        words = [self._expand_in(stage, each) for each in instruction.args]
        copy = FileCopy(instruction, words, stage, self._context, self._work)
        for source in copy.sources:
            if source.startswith("<<"):
                copy.from_heredoc(source, partial(self._expand_in, stage))
            elif copy.origin is not None:
                self._copy_from_stage(copy, source, stage)
            elif not _REMOTE.match(source):  # what ADD brings from the network is not known
                copy.from_context(source)

    def _copy_from_stage(self, copy: FileCopy, source: str, stage: BuildStage) -> None:
        origin = str(copy.origin)
        earlier = self._stage_named(origin)
        if earlier is None and origin.isdigit() and int(origin) < len(self._stages) - 1:
            earlier = self._stages[int(origin)]
        if earlier is None:
            stage.images.append(origin)
        else:
            stage.sources.append(earlier)
            copy.from_stage(source, earlier)


class _Values(Mapping[str, str]):
    """Variables, as one word asks for them.

    A trim's pattern becomes a regular expression that tries each of its stars in all ways, so it
    may have one, wherever it comes from.
    """

    def __init__(self, word: str, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._trims = _TRIM.search(word) is not None
        self._stars = word.count("*")
        self._left = _MAX_VALUE_CHARACTERS

    def __getitem__(self, name: str) -> str:
        value = self._variables[name]
        self._left -= len(value)
        if self._left < 0:
            raise ValueError(f"its variables come to more than {_MAX_VALUE_CHARACTERS} characters")
        if self._trims:
            self._stars += value.count("*")
            if self._stars > 1 or len(value) > _MAX_TRIMMED_CHARACTERS:
                raise ValueError("it is trimmed by more than one star, or is too long for that")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


class _Expansions:
    """Bounds what the variables of a whole Dockerfile come to."""

    def __init__(self) -> None:
        self._characters = 0
        self._trims = 0

    def of(self, word: str, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return the variables, for one word.

        Raises:
            ValueError: there are too many words that trim a variable.
        """
        if "$" not in word:
            return variables
        self._trims += _TRIM.search(word) is not None
        if self._trims > _MAX_TRIMS:
            raise ValueError(f"more than {_MAX_TRIMS} words trim a variable")
        return _Values(word, variables)

    def count(self, word: str) -> str:
        """Return a word as it is now.

        Raises:
            ValueError: all words together have become too long.
        """
        self._characters += len(word)
        if self._characters > _MAX_EXPANDED_CHARACTERS:
            raise ValueError("its words and those before it come to too much text")
        return word


def _command(instruction: DockerfileInstruction) -> Command | None:
    if not instruction.args:
        return None
    return Command(tuple(instruction.args), not instruction.json, instruction.start_line)


def _stages_behind(stage: BuildStage) -> Iterator[BuildStage]:
    seen: set[int] = set()
    waiting = [stage]
    while waiting:
        each = waiting.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [*each.sources, *([each.parent] if each.parent is not None else [])]


def _options(flag: str, prefix: str) -> dict[str, str]:
    if not flag.startswith(prefix):
        return {}
    pairs = (each.partition("=") for each in flag.removeprefix(prefix).split(","))
    options = {name: value for name, _, value in pairs}
    return {"type": "bind", **options}


def _user_of(base: str) -> str:
    return "nonroot" if "nonroot" in base or "chainguard" in base else "root"


def _entrypoint_of(base: str) -> Command | None:
    """Return the entry point that the base image is known to bring.

    Distroless Python images start Python, so that `CMD` holds only its arguments.
    """
    if re.search(r"(distroless/python|chainguard/python)", base):
        return Command(("python3",), False, 0)
    return None
