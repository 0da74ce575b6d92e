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
    DockerfileSyntaxError,
    ShellLex,
    parse_dockerfile_ast,
)

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.copying import FileCopy, fault, joined
from ml_api_lab.images.image import BuildStage, Command, Image, RunStep

_REMOTE = re.compile(r"(https?|git|ssh)://|git@")

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
    if not path.is_file() or path.name not in os.listdir(folder):
        near = next((p.name for p in folder.glob("*") if p.name.lower() == "dockerfile"), None)
        raise SubmissionFault(
            f"The Dockerfile is called {near}; Docker looks for the name Dockerfile."
            if near is not None
            else "There is no Dockerfile beside main.py."
        )
    try:
        parsed = parse_dockerfile_ast(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise SubmissionFault("The Dockerfile is not UTF-8 text.") from None
    except DockerfileSyntaxError as error:
        reason = str(error).removeprefix("Dockerfile parse error").lstrip(": ")
        raise SubmissionFault(f"Docker cannot read the Dockerfile: {reason}.") from None
    return _Builder(Context(folder), parsed.escape_token).build(parsed.instructions)


class _Builder:
    """Follows the instructions from the first to the last."""

    def __init__(self, context: Context, escape: str) -> None:
        self._context = context
        self._escape = escape
        self._global_args: dict[str, str] = {}
        self._stages: list[BuildStage] = []

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
        lexer = ShellLex(self._escape, env=variables, skip_unset_env=False)
        return lexer.process_word(word)

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
        stage.steps.append(RunStep(text, line, workdir, mounted, dict(stage.files)))

    # --- files ------------------------------------------------------------------------------------

    def _add(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        self._copy(instruction, stage)

    def _copy(self, instruction: DockerfileInstruction, stage: BuildStage) -> None:
        words = [self._expand_in(stage, each) for each in instruction.args]
        copy = FileCopy(instruction, words, stage, self._context)
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


def _command(instruction: DockerfileInstruction) -> Command | None:
    if not instruction.args:
        return None
    return Command(tuple(instruction.args), not instruction.json, instruction.start_line)


def _stages_behind(stage: BuildStage) -> Iterator[BuildStage]:
    seen: list[BuildStage] = []
    waiting = [stage]
    while waiting:
        each = waiting.pop(0)
        if not any(each is other for other in seen):
            seen.append(each)
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
