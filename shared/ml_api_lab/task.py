"""The task handle: all that a check may touch of a submission."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.errors import CourseError, Stopped
from ml_api_lab.lab_time import NS, Span
from ml_api_lab.protocol.messages import (
    AskModel,
    LoadModel,
    Mode,
    ModelAnswers,
    ModelLoaded,
    Start,
)
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.hosts.pools_of_a_run import can_fork
from ml_api_lab.sandbox.runs import KnownRuns, Run, Script
from ml_api_lab.sandbox.submission import Submission
from ml_api_lab.sandbox.transcript import Transcript

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from ml_api_lab.images.container import Container
    from ml_api_lab.images.engine import Engine
    from ml_api_lab.images.image import Image
    from ml_api_lab.sandbox.debugger import Debugger
    from ml_api_lab.sandbox.models import Models
    from ml_api_lab.sandbox.real_process import Process

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "USERPROFILE")


class Task:
    """A workspace of one task's folder, and the ways to put it to work.

    Attributes:
        name: the task, such as "task_3_2".
        files: the workspace's files.
        draw: random choices for this check, repeatable with the run's seed.
        clock: the check's clock.
        transcript: what has happened so far.
    """

    def __init__(
        self,
        entry: Entry,
        workspace: Workspace,
        clock: Clock,
        transcript: Transcript,
        hosts: Callable[[], HostPool],
        draw: random.Random,
        terminal: str | None = None,
        engine: Engine | None = None,
        debugger: Debugger | None = None,
        known_runs: KnownRuns | None = None,
    ) -> None:
        self.name = entry.name
        self.files = workspace
        self.draw = draw
        self.clock = clock
        self.transcript = transcript
        self._hosts = hosts
        self._terminal = terminal
        self._debugger = debugger
        self._engine = engine
        self._submissions: list[Submission] = []
        self._processes: list[Process] = []
        self._images = 0
        self._known_runs = known_runs
        self._scripts: set[Script] = set()
        self._models: Models | None = None
        self._models_folder = entry.models
        # The task that trains the models has its own.
        if entry.models and workspace.path(entry.models).resolve() != workspace.folder:
            self.models.place()

    @property
    def models(self) -> Models:
        """The stand-in models; laid out already if the task expects to find some.

        Raises:
            CourseError: the syllabus names no folder for them.
        """
        if self._models is None:
            from ml_api_lab.sandbox.models import Models

            if self._models_folder is None:
                raise CourseError(
                    f'The syllabus gives {self.name} no models; write models = "...", the folder '
                    "to find them in, into its part."
                )
            self._models = Models(self.files, self._models_folder, self.draw)
        return self._models

    @property
    def has_run(self) -> bool:
        """Whether a process was started or its work recalled, or an image made ready to be."""
        return bool(self._submissions or self._processes or self._images or self._scripts)

    @contextlib.asynccontextmanager
    async def serve(
        self,
        env: Mapping[str, str] | None = None,
        *,
        started: bool = True,
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Start the application `app` of main.py and give a client of it.

        Args:
            env: variables of the process, besides the few that every process has.
            started: False to ask it as it is after its import, without running its lifespan.

        Raises:
            StartFailed: it could not be imported, or its start-up raised.
            SubmissionFault: it has no such file, or its process ended or hung.
        """
        from ml_api_lab.sandbox.http_client import LabClient

        submission = self._begin("serve" if started else "mount", "main.py", env)
        try:
            await submission.ready
            async with LabClient(submission) as requests:
                yield requests
            await submission.stop()
        finally:
            # A check may go on after a failure, and ask another process then.
            submission.close()

    async def run(
        self,
        file: str = "main.py",
        env: Mapping[str, str] | None = None,
        *,
        beat: Span | None = None,
        may_fail: bool = False,
    ) -> Run:
        """Run a script to its end, and the threads that it started to theirs.

        What another check of the grading has run in the same way is not run again. What this check
        has is.

        Args:
            beat: with it, a second coroutine runs beside the script's own on each event loop, and
                wants its turn at each multiple of this time; see `Run.beats`.
            may_fail: return normally if the script raises.

        Raises:
            SubmissionFault: it raised, or its process ended or hung.
        """

        async def run() -> Run:
            began, told = self.clock.now, len(self.transcript.lines)
            failed = len(self.transcript.raised)
            submission = self._begin("run", file, env, beat)
            status = await submission.done
            elapsed = self.clock.now - began
            raised = [each for each in self.transcript.raised[failed:] if each.stage == "run"]
            error = str(raised[-1]) if raised else None
            if raised and not may_fail:
                where = f" ({raised[-1].frames[-1]})" if raised[-1].frames else ""
                raise Stopped(f"{file} stopped with {raised[-1].headline}{where}.")
            submission.close()
            beats = [each - began for each in submission.beats]
            return Run(self.transcript.lines[told:], elapsed, status, beats, error)

        return await self._recalled(self._script("run", file, env, beat), run)

    async def load(self, file: str = "main.py", env: Mapping[str, str] | None = None) -> Run:
        """Import a file as a module and see what that does.

        Raises:
            StartFailed: it could not be imported.
            SubmissionFault: its process ended or hung.
        """

        async def load() -> Run:
            began, told = self.clock.now, len(self.transcript.lines)
            submission = self._begin("import", file, env)
            await submission.ready
            elapsed = self.clock.now - began
            submission.close()
            return Run(self.transcript.lines[told:], elapsed, 0, [], None)

        return await self._recalled(self._script("import", file, env), load)

    async def evaluate(self, source: str, name: str) -> str:
        """Run a program of the check's own in a process of its own, and return its report.

        Nothing of the submission is beside it: not its folder, its modules or its processes' files,
        so that the report can be believed as far as what the program reads itself.

        Args:
            source: the program's text. It leaves a text in its variable `report`.
            name: what to call the program.

        Raises:
            SubmissionFault: it raised, or its process ended or hung.
        """
        failed = len(self.transcript.raised)
        submission = self._begin("evaluate", name, None, source=source)
        await submission.done
        raised = self.transcript.raised[failed:]
        if raised:
            raise Stopped(f"{name} stopped with {raised[-1].headline}.")
        submission.close()
        return submission.report

    def start(self, command: list[str], env: Mapping[str, str] | None = None) -> Process:
        """Start a real process in the workspace; only for a check on the wall clock.

        Args:
            command: "python" as its first word stands for the interpreter of this run.
        """
        words = [sys.executable, *command[1:]] if command[0] == "python" else command
        return self._launch(words, self.files.folder, env)

    def image(self) -> Image:
        """Return what an image built from the workspace would hold.

        Raises:
            SubmissionFault: there is no Dockerfile, or an engine would refuse it.
        """
        from ml_api_lab.images.dockerfile import read

        self.files.require("Dockerfile")
        return read(self.files.folder)

    def container(self, image: Image) -> Container:
        """Return the image of the workspace, ready to start; only for a check on the wall clock.

        Its files are laid out alone, or a real engine builds it if the run was given one.
        """
        from ml_api_lab.images.layout import LocalContainer

        self._images += 1
        place = self.files.outside(f"image-{self._images}")
        if self._engine is not None:
            # It is the engine's own program that is started: the container confines the rest.
            launch = partial(self._launch_from, None)
            return self._engine.build(image, self.files.folder, place, launch)
        container = LocalContainer(image, place, self._launch)
        # As long as a check may take at all: one that waits has begun no other work.
        container.start_timeout_seconds = min(container.start_timeout_seconds, self.clock.budget)
        return container

    def _launch(self, words: Sequence[str], folder: Path, env: Mapping[str, str] | None) -> Process:
        return self._launch_from(self._hosts() if can_fork() else None, words, folder, env)

    def _launch_from(
        self,
        pool: HostPool | None,
        words: Sequence[str],
        folder: Path,
        env: Mapping[str, str] | None,
    ) -> Process:
        from ml_api_lab.sandbox.real_process import Process

        if self._models is not None:
            self._models.write_tables()
        process = Process(
            list(words),
            folder,
            self._environment(env),
            self.transcript,
            self.clock,
            pool,
            self.files.root,
        )
        self._processes.append(process)
        return process

    def write_env(self, **variables: str) -> None:
        """Write a `.env` file with these variables and no others."""
        self.files.write(".env", "".join(f"{name}={value}\n" for name, value in variables.items()))

    def halt(self) -> None:
        """End everything that was started; the transcript is complete then."""
        for submission in self._submissions:
            submission.close()
        for process in self._processes:
            process.close()

    def close(self) -> None:
        """End everything that was started, and remove the workspace."""
        self.halt()
        self.files.close()

    def _begin(
        self,
        mode: Mode,
        file: str,
        env: Mapping[str, str] | None,
        beat: Span | None = None,
        source: str = "",
    ) -> Submission:
        folder = self.files.folder
        if mode == "evaluate":
            folder = self.files.outside(f"evaluation-{secrets.token_hex(8)}")
            folder.mkdir()
        else:
            self.files.require(file)
        debugger = None if mode == "evaluate" else self._debugger
        start = Start(
            mode=mode,
            workspace=str(self.files.root),
            folder=str(folder),
            file=file,
            environment=self._environment(env),
            output=str(self.files.output(len(self._submissions))),
            terminal=self._terminal,
            beat=beat,
            now=int(self.clock.now),
            source=source,
            debugger=None if debugger is None else debugger.port,
            original=str(self.transcript.original),
        )
        submission = Submission(
            self._hosts(),
            self.clock,
            self.transcript,
            start,
            self._answer_models,
            on_awaits_debugger=None if debugger is None else debugger.announce,
        )
        self._submissions.append(submission)
        return submission

    async def _recalled(self, script: Script | None, do: Callable[[], Awaitable[Run]]) -> Run:
        """Return what a script does: where it is known already, only its lab time passes."""
        # A check that runs it twice wants to see it run twice.
        if self._known_runs is None or script is None or script in self._scripts:
            return await do()
        if (known := self._known_runs.find(script)) is not None:
            await asyncio.sleep(known.elapsed / NS)
            self.transcript.lines += known.lines
            self._scripts.add(script)
            return known
        try:
            run = await do()
            self._scripts.add(script)
            if run.error is None and self.transcript.has_all_output:
                with contextlib.suppress(OSError):
                    known = run if self.files.is_unchanged(script.state) else None
            return run
        finally:
            self._known_runs.end(script, known)

    def _script(
        self, mode: Mode, file: str, env: Mapping[str, str] | None, beat: Span | None = None
    ) -> Script | None:
        """Return all that decides what a script does, None if something else may as well."""
        if self._known_runs is None or self._models is not None or self.clock.name != "lab":
            return None
        try:
            state = self.files.state()
        except OSError:
            return None
        variables = tuple(sorted((env or {}).items()))
        moment, folder = Span(self.clock.now), str(self.transcript.original)
        return Script(folder, state, mode, file, variables, moment, beat)

    def _answer_models(
        self, now: Span, question: LoadModel | AskModel
    ) -> ModelLoaded | ModelAnswers:
        """Answer for the models of this check; where there are none, nothing can be loaded."""
        from ml_api_lab.sandbox.models import no_answer

        if self._models is None:
            return no_answer(question)
        return self._models.reply(now, question)

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        """Return a submission's whole environment: no secret of the grader's is in it.

        The zone is always UTC: the lab's day is frozen in the zone that its processes began in.
        """
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        fixed = {"TZ": "UTC", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        fixed |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.files.temporary))
        return {**inherited, **(env or {}), **fixed}
