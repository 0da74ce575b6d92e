"""The few shell commands that the texts use, carried out in lab time on a submission.

Commands stand on lines of their own or are divided by `;` and `&`; `for NAME in WORDS; do ... done`
and `NAME=value` are known. A comment behind a command says what comes of it, and is held to that:

    # 401            the status of the answer
    # 3 s            how long the command takes; more words may follow
    # at once        the same as 0 s
    # ..., name: x   and the answer has this header
    # prints [0]     the last line of its output
    # no such file   the file is not there
    # 1 line         the file has that many lines
    # fails          the application does not start, or the program ends with an error

`sleep`, `wait` and `time` do what they always do. A comment for readers who use another shell
begins with `in PowerShell`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ml_api_lab.check import Clock, StartFailed, SubmissionFault, Task, seconds
from tests.proofs.prover import COURSE

if TYPE_CHECKING:
    import httpx

_LOOP = re.compile(r"for (\w+) in ([^;\n]+); do(.*?)\bdone\b", re.DOTALL)
_SET = re.compile(r"^(\w+)=(.*)$")
_PROGRAM = "typed_in.py"
_HERE = ("localhost:8000", "127.0.0.1:8000")


class UnknownCommandError(Exception):
    """A command or a comment that this shell does not know."""


@dataclass
class Command:
    """One command of a block, and what the comment behind it says."""

    words: list[str]
    env: dict[str, str]
    comment: str = ""
    in_background: bool = False

    def __str__(self) -> str:
        return shlex.join(self.words)


@dataclass
class Outcome:
    """What came of a command; None where it does not apply."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    has_failed: bool = False
    is_missing: bool = False


@dataclass
class Session:
    """A block of commands at work on a submission.

    Attributes:
        bodies: what `curl` has printed, one answer after the other.
        output: what the programs run by `python` have printed.
        sent: the bodies that `curl` has sent.
    """

    task: Task
    clock: Clock
    bodies: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = contextlib.AsyncExitStack()
        self._client: httpx.AsyncClient | None = None
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, script: str) -> None:
        """Carry out a block.

        Raises:
            UnknownCommandError: a command or a comment is none of those that this shell knows.
            AssertionError: a comment is not true.
        """
        for command in parse(script):
            if command.in_background:
                self._background.add(asyncio.create_task(self._carry_out(command)))
            else:
                await self._carry_out(command)

    async def serve(self, env: dict[str, str] | None = None) -> None:
        """Start the application; one that runs already is stopped."""
        await self._server.aclose()
        self._client = None
        self._client = await self._server.enter_async_context(self.task.serve(env))

    async def close(self) -> None:
        """Wait for what runs in the background, and stop the application."""
        await asyncio.gather(*self._background)
        await self._server.aclose()

    async def _carry_out(self, command: Command) -> None:
        began = self.clock.now
        outcome = await self._outcome(command)
        hold(command, outcome, (self.clock.now - began) / seconds(1))

    async def _outcome(self, command: Command) -> Outcome:
        name, *rest = command.words
        if name == "time":
            return await self._outcome(Command(rest, command.env))
        if name == "cd" and len(rest) == 1:
            assert (COURSE / rest[0]).is_dir(), f"there is no folder {rest[0]}"
            return Outcome()
        if name == "sleep" and len(rest) == 1:
            await asyncio.sleep(float(rest[0]))
            return Outcome()
        if name == "wait" and not rest:
            await asyncio.gather(*self._background)
            self._background.clear()
            return Outcome()
        if name == "python":
            return await self._python(rest, command.env)
        if name == "uvicorn" and rest[:1] == ["main:app"] and set(rest[1:]) <= {"--reload"}:
            try:
                await self.serve(command.env)
            except StartFailed:
                return Outcome(has_failed=True)
            return Outcome()
        if name == "curl":
            return await self._curl(rest)
        if name in ("cat", "ls"):
            return self._look(name, rest[-1])
        raise UnknownCommandError(str(command))

    async def _python(self, words: list[str], env: dict[str, str]) -> Outcome:
        file = words[-1]
        if words[0] == "-c":
            file = _PROGRAM
            self.task.files.write(file, words[1])
        try:
            run = await self.task.run(file, env)
        except SubmissionFault as fault:
            return Outcome(output=str(fault), has_failed=True)
        self.output.append(run.output)
        return Outcome(output=run.output, has_failed=run.status != 0)

    async def _curl(self, words: list[str]) -> Outcome:
        method, headers, body, path = "GET", {}, None, ""
        rest = iter(words)
        for word in rest:
            if word == "-X":
                method = next(rest)
            elif word == "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            elif word == "-d":
                body = next(rest)
            elif word in ("-i", "--path-as-is"):
                pass
            else:
                address = word.removeprefix("http://")
                place = next((each for each in _HERE if address.startswith(each)), None)
                if place is None:
                    raise UnknownCommandError(f"curl {word}")
                path = address.removeprefix(place) or "/"
        if self._client is None:
            await self.serve()
        assert self._client is not None
        if body is not None:
            self.sent.append(body)
        answer = await self._client.request(
            method,
            "/",
            headers=headers,
            content=body,
            extensions={"target": path.encode("ascii")},
        )
        self.bodies.append(answer.text)
        return Outcome(answer.status_code, answer.headers, answer.text)

    def _look(self, name: str, pattern: str) -> Outcome:
        found = sorted(Path(self.task.files.folder).glob(pattern))
        if not found:
            return Outcome(is_missing=True)
        if name == "cat":
            return Outcome(output=self.task.files.text(pattern))
        return Outcome(output="\n".join(path.name for path in found))


def parse(script: str) -> list[Command]:
    """Return the commands of a block, loops unrolled and variables filled in."""
    script = script.replace("\\\n", " ")
    script = _LOOP.sub(
        lambda loop: "\n".join(
            re.sub(rf"\${loop[1]}\b", value, loop[3].strip()) for value in loop[2].split()
        ),
        script,
    )
    variables: dict[str, str] = {}
    commands = []
    for line in script.splitlines():
        code, comment = _divide(line)
        for name, value in variables.items():
            code = code.replace(f'"${name}"', shlex.quote(value)).replace(f"${name}", value)
        parts = _parts(code)
        for position, (words, in_background) in enumerate(parts):
            env = {}
            while words and (setting := _SET.match(words[0])):
                env[setting[1]] = setting[2]
                words = words[1:]
            if not words:
                variables |= env
                continue
            said = comment if position == len(parts) - 1 else ""
            commands.append(Command(words, env, said, in_background))
    return commands


def _divide(line: str) -> tuple[str, str]:
    """Return a line's code and the comment behind it."""
    if line.lstrip().startswith("#"):
        return "", ""
    code, mark, comment = line.partition("  # ")
    return code, comment.strip() if mark else ""


def _parts(code: str) -> list[tuple[list[str], bool]]:
    """Return the commands of a line, each with whether it goes on in the background."""
    lexer = shlex.shlex(code, posix=True, punctuation_chars="&;")
    lexer.whitespace_split = True
    lexer.commenters = ""
    parts: list[tuple[list[str], bool]] = []
    words: list[str] = []
    for word in lexer:
        if word in ("&", ";"):
            parts.append((words, word == "&"))
            words = []
        else:
            words.append(word)
    return [each for each in [*parts, (words, False)] if each[0]]


def hold(command: Command, outcome: Outcome, took: float) -> None:
    """Hold a comment to what came of its command; a command without one may not fail.

    Raises:
        UnknownCommandError: the comment is none of those that this shell knows.
        AssertionError: it is not true.
    """
    said = command.comment
    fails = re.search(r"\bfails\b", said) is not None
    assert outcome.has_failed == fails, f"{command}: {outcome.output or 'it did not fail'}"
    assert outcome.is_missing == said.startswith("no such file"), f"{command}: {outcome}"
    if outcome.has_failed or outcome.is_missing or not said or said.startswith("in PowerShell"):
        return
    if header := re.search(r", (\S+): (\S+)$", said):
        assert outcome.headers.get(header[1]) == header[2], f"{command}: {outcome.headers}"
    if match := re.match(r"(\d{3})\b", said):
        assert outcome.status == int(match[1]), f"{command}: {outcome.status}, not {said}"
    elif match := re.match(r"(\d+(?:\.\d+)?) s\b|at once", said):
        right = float(match[1] or 0)
        assert took == right, f"{command}: took {took} s, not {right} s"
    elif match := re.match(r"prints (.+)", said):
        assert outcome.output.splitlines()[-1:] == [match[1]], f"{command}: {outcome.output}"
    elif match := re.match(r"(\d+) lines?$", said):
        assert len(outcome.output.splitlines()) == int(match[1]), f"{command}: {outcome.output}"
    else:
        raise UnknownCommandError(f"{command}  # {said}")
