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
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from e2b_dockerfile_utils import (
    DockerfileInstruction,
    DockerfileSyntaxError,
    PatternMatcher,
    ShellLex,
    chomp_heredoc_content,
    parse_dockerfile_ast,
)

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.image import Command, File, Image, Stage, Step

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
        self._outer: dict[str, str] = {}
        self._stages: list[Stage] = []

    def build(self, instructions: list[DockerfileInstruction]) -> Image:
        for instruction in instructions:
            try:
                self._follow(instruction)
            except ValueError as error:
                raise _fault(instruction, str(error)) from None
        if not self._stages:
            return Image(Stage("", 0), (), self._context)
        final = self._stages[-1]
        return Image(final, tuple(_reached(final)), self._context)

    def _follow(self, instruction: DockerfileInstruction) -> None:
        name = instruction.name
        if not instruction.args and name in ("FROM", "COPY", "ADD", "USER", "WORKDIR", "RUN"):
            raise _fault(instruction, f"{name} needs something after it")
        if name == "FROM":
            self._begin(instruction)
        elif not self._stages:
            if name != "ARG":
                raise _fault(instruction, "the build begins with FROM, which names a base image")
            self._declare(instruction, self._outer, {**_PLATFORM, **self._outer})
        else:
            follow = getattr(self, f"_{name.lower()}", None)
            if follow is not None:
                follow(instruction, self._stages[-1])

    def _word(self, word: str, variables: Mapping[str, str]) -> str:
        lexer = ShellLex(self._escape, env=variables, skip_unset_env=False)
        return lexer.process_word(word)

    def _in(self, stage: Stage, word: str) -> str:
        return self._word(word, {**stage.args, **stage.env})

    # --- stages -----------------------------------------------------------------------------------

    def _begin(self, instruction: DockerfileInstruction) -> None:
        base = self._word(instruction.args[0], {**_PLATFORM, **self._outer})
        if not base:
            raise _fault(instruction, f"{instruction.args[0]} comes to nothing")
        name = None
        if len(instruction.args) == 3 and instruction.args[1].upper() == "AS":
            name = instruction.args[2].lower()
        elif len(instruction.args) != 1:
            raise _fault(instruction, "FROM takes an image, and AS with a name for the stage")
        parent = self._stage_named(base)
        if parent is None:
            self._stages.append(Stage(base, instruction.start_line, name, user=_user_of(base)))
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

    def _stage_named(self, name: str) -> Stage | None:
        return next((s for s in reversed(self._stages) if s.name == name.lower()), None)

    # --- variables and settings -------------------------------------------------------------------

    def _declare(
        self, instruction: DockerfileInstruction, into: dict[str, str], known: Mapping[str, str]
    ) -> None:
        for each in instruction.args:
            name, given, value = each.partition("=")
            if given:
                into[name] = self._word(value, {**known, **into})
            elif name in self._outer or name in _PLATFORM:
                into[name] = {**_PLATFORM, **self._outer}[name]

    def _arg(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.declared.update(each.partition("=")[0] for each in instruction.args)
        self._declare(instruction, stage.args, {**stage.args, **stage.env})

    def _env(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        words = instruction.args
        new = {
            self._in(stage, words[i]): self._in(stage, words[i + 1])
            for i in range(0, len(words) - 1, 3)
        }
        stage.env.update(new)

    def _workdir(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.workdir = _joined(stage.workdir, self._in(stage, instruction.args[0]))
        stage.folders.add(stage.workdir)

    def _user(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.user = self._in(stage, instruction.args[0])

    def _stopsignal(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.stop_signal = self._in(stage, instruction.args[0])

    def _expose(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.ports += [self._in(stage, each) for each in instruction.args]

    def _shell(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        if not instruction.json:
            raise _fault(instruction, 'SHELL takes a list, such as ["/bin/bash", "-c"]')
        stage.shell = tuple(instruction.args)

    def _cmd(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.command = _command(instruction)

    def _entrypoint(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        stage.entrypoint = _command(instruction)
        inherited = stage.parent.command if stage.parent is not None else None
        if stage.command is inherited:
            stage.command = None

    def _run(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        text = " ".join([*instruction.args, *(each.content for each in instruction.heredocs)])
        mounted = tuple(
            options.get("source", options.get("src", "."))
            for flag in instruction.flags
            if (options := _options(flag, "--mount=")).get("type") == "bind"
            and "from" not in options
        )
        line, workdir = instruction.start_line, stage.workdir
        stage.steps.append(Step(text, line, workdir, mounted, dict(stage.files)))

    # --- files ------------------------------------------------------------------------------------

    def _add(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        self._copy(instruction, stage)

    def _copy(self, instruction: DockerfileInstruction, stage: Stage) -> None:
        options = dict(
            flag.removeprefix("--").partition("=")[::2]
            for flag in instruction.flags
            if not flag.startswith("--exclude=")
        )
        excluded = [f.partition("=")[2] for f in instruction.flags if f.startswith("--exclude=")]
        words = [self._in(stage, each) for each in instruction.args]
        if len(words) < 2:
            raise _fault(instruction, f"{instruction.name} needs a source and a destination")
        *sources, destination = words
        where = _joined(stage.workdir, destination)
        if len(sources) > 1 and not destination.endswith(("/", ".")):
            raise _fault(
                instruction,
                f"with several sources the destination is a folder; write {destination}/",
            )
        into = destination.endswith(("/", "/.")) or destination in (".", "..")
        into = into or where in stage.folders or _made_by_run(stage, where)
        executable = _executable(options.get("chmod", ""))
        matcher = PatternMatcher(excluded)
        heredocs = {each.name: each for each in instruction.heredocs}
        for source in sources:
            if source.startswith("<<"):
                heredoc = heredocs[source.lstrip("<-").strip("\"'")]
                text = heredoc.content
                text = chomp_heredoc_content(text) if heredoc.chomp else text
                text = self._in(stage, text) if heredoc.expand else text
                target = posixpath.join(where, heredoc.name) if into else where
                file = File(text.encode(), None, instruction.start_line, bool(executable))
                _place(stage, target, file)
            elif "from" in options:
                self._take(options["from"], source, where, into, stage, instruction.start_line)
            elif re.match(r"(https?|git|ssh)://|git@", source):
                continue  # ADD from the network: not known
            else:
                found = self._found(instruction, source)
                for name in found:
                    for path, file in self._brought(name, "parents" in options, into, where):
                        if not matcher.matches(_relative(path, where)):
                            mode = executable if executable is not None else file.executable
                            line = instruction.start_line
                            _place(stage, path, replace(file, line=line, executable=mode))
                if found and all(name in self._context.folders for name in found):
                    stage.folders.add(where)

    def _found(self, instruction: DockerfileInstruction, source: str) -> list[str]:
        """Return what a source names in the context."""
        name = posixpath.normpath("/" + source).lstrip("/")
        found = self._context.match(name)
        if not found and not re.search(r"[*?\[]", name):
            reason = (
                "the .dockerignore leaves it out"
                if self._context.ignores(name)
                else "it is not in the folder that the image is built from"
            )
            outside = " (the image sees nothing above that folder)" if ".." in source else ""
            raise _fault(
                instruction, f"{instruction.name} cannot bring {source}: {reason}{outside}"
            )
        return found

    def _brought(
        self, name: str, parents: bool, into: bool, where: str
    ) -> Iterator[tuple[str, File]]:
        """Yield what one source brings: a file, or all that is in a folder."""
        if name in self._context.files:
            tail = name if parents else posixpath.basename(name)
            yield (posixpath.join(where, tail) if into or parents else where), self._file(name)
            return
        prefix = f"{name}/" if name else ""
        for path in self._context.files:
            if path.startswith(prefix):
                tail = path if parents else path.removeprefix(prefix)
                yield posixpath.join(where, tail), self._file(path)

    def _file(self, name: str) -> File:
        path = self._context.files[name]
        return File(path, name, 0, os.access(path, os.X_OK))

    def _take(
        self, origin: str, source: str, where: str, into: bool, stage: Stage, line: int
    ) -> None:
        """Copy from an earlier stage; what is not known to be there was made by its RUN lines."""
        found = self._stage_named(origin)
        if found is None and origin.isdigit() and int(origin) < len(self._stages) - 1:
            found = self._stages[int(origin)]
        if found is None:
            stage.images.append(origin)
            return
        stage.sources.append(found)
        name = posixpath.normpath(posixpath.join("/", source))
        if name in found.files:
            target = posixpath.join(where, posixpath.basename(name)) if into else where
            _place(stage, target, replace(found.files[name], line=line))
            return
        prefix = name.rstrip("/") + "/"
        for path, file in found.files.items():
            if path.startswith(prefix):
                target = posixpath.join(where, path.removeprefix(prefix))
                _place(stage, target, replace(file, line=line))


def _fault(instruction: DockerfileInstruction, reason: str) -> SubmissionFault:
    return SubmissionFault(f"Docker would stop at line {instruction.start_line}: {reason}.")


def _command(instruction: DockerfileInstruction) -> Command | None:
    if not instruction.args:
        return None
    return Command(tuple(instruction.args), not instruction.json, instruction.start_line)


def _joined(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _relative(path: str, where: str) -> str:
    return posixpath.relpath(path, where)


def _place(stage: Stage, name: str, file: File) -> None:
    path = posixpath.normpath(name)
    stage.files[path] = file
    while (path := posixpath.dirname(path)) not in stage.folders:
        stage.folders.add(path)


def _reached(stage: Stage) -> Iterator[Stage]:
    seen: list[Stage] = []
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


def _made_by_run(stage: Stage, folder: str) -> bool:
    """Whether a RUN line speaks of that folder: it may have made it."""
    word = re.compile(rf"(?<![\w./-]){re.escape(folder)}/?(?![\w.-])")
    return any(word.search(step.text) for step in stage.steps)


def _executable(mode: str) -> bool | None:
    """Read `--chmod`: 755, or as in chmod itself; None if it says nothing of execution."""
    if re.fullmatch(r"0?[0-7]{3,4}", mode):
        return bool(int(mode, 8) & 0o111)
    if re.search(r"\+[rwX]*x", mode):
        return True
    return None


def _user_of(base: str) -> str:
    return "nonroot" if "nonroot" in base or "chainguard" in base else "root"


def _entrypoint_of(base: str) -> Command | None:
    """Return the entry point that the base image is known to bring.

    Distroless Python images start Python, so that `CMD` holds only its arguments.
    """
    if re.search(r"(distroless/python|chainguard/python)", base):
        return Command(("python3",), False, 0)
    return None
