"""`COPY` and `ADD`: which files they bring into a stage, and under which names."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from e2b_dockerfile_utils import DockerfileInstruction, chomp_heredoc_content

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.context import Context
from ml_api_lab.images.ignore import IgnoreRules
from ml_api_lab.images.image import BuildStage, File

_MAX_PATH_FOLDERS = 100
_MAX_PATH_CHARACTERS = 4096
"""How long a path may be on Linux."""


class Work:
    """What a build may come to: each file that a line brings, and each that a stage takes over.

    Stages may double what the one before holds.
    """

    MAX_FILES = 200_000

    def __init__(self) -> None:
        self._files = 0

    def add(self, files: int) -> None:
        """Count so many files.

        Raises:
            SubmissionFault: all together are more than an image of this folder can hold.
        """
        self._files += files
        if self._files > self.MAX_FILES:
            raise SubmissionFault(
                f"The lines of the Dockerfile bring more than {self.MAX_FILES} files all together; "
                "each stage needs only a few."
            )


def fault(instruction: DockerfileInstruction, reason: str) -> SubmissionFault:
    """Return what is to be raised where a build would stop."""
    return SubmissionFault(f"Docker would stop at line {instruction.start_line}: {reason}.")


def joined(folder: str, name: str) -> str:
    """Return the path of the image that is meant by a name used in that folder of it."""
    return posixpath.normpath(posixpath.join(folder, name))


class FileCopy:
    """One `COPY` or `ADD` of a stage.

    Args:
        words: its sources and its destination, variables replaced.

    Attributes:
        sources: what it copies, as written.
        origin: the stage or image that `--from` names, None for the build context.

    Raises:
        SubmissionFault: Docker would refuse it.
    """

    def __init__(
        self,
        instruction: DockerfileInstruction,
        words: list[str],
        stage: BuildStage,
        context: Context,
        work: Work,
    ) -> None:
        if len(words) < 2:
            raise fault(instruction, f"{instruction.name} needs a source and a destination")
        *self.sources, destination = words
        if len(self.sources) > 1 and not destination.endswith(("/", ".")):
            raise fault(
                instruction,
                f"with several sources the destination is a folder; write {destination}/",
            )
        options = dict(
            flag.removeprefix("--").partition("=")[::2]
            for flag in instruction.flags
            if not flag.startswith("--exclude=")
        )
        excluded = [f.partition("=")[2] for f in instruction.flags if f.startswith("--exclude=")]
        self.origin = options.get("from")
        self._instruction = instruction
        self._stage = stage
        self._context = context
        self._work = work
        self._excluded = IgnoreRules(excluded)
        self._executable = _executable(options.get("chmod", ""))
        self._keeps_parents = "parents" in options
        self._target = joined(stage.workdir, destination)
        self._is_into_folder = (
            destination.endswith(("/", "/."))
            or destination in (".", "..")
            or self._target in stage.folders
            or _is_made_by_run(stage, self._target)
        )

    def from_heredoc(self, source: str, expand: Callable[[str], str]) -> None:
        """Copy a file whose content stands in the Dockerfile."""
        heredocs = {each.name: each for each in self._instruction.heredocs}
        heredoc = heredocs.get(source.lstrip("<-").strip("\"'"))
        if heredoc is None:
            raise fault(self._instruction, f"there is no text for {source}")
        text = chomp_heredoc_content(heredoc.content) if heredoc.chomp else heredoc.content
        text = expand(text) if heredoc.expand else text
        name = posixpath.join(self._target, heredoc.name) if self._is_into_folder else self._target
        line = self._instruction.start_line
        self._place(name, File(text.encode(), None, line, bool(self._executable)))

    def from_stage(self, source: str, earlier: BuildStage) -> None:
        """Copy what an earlier stage is known to hold; what it lacks was made by its RUN lines."""
        line = self._instruction.start_line
        name = posixpath.normpath(posixpath.join("/", source))
        if name in earlier.files:
            self._place(self._name_of(name), replace(earlier.files[name], line=line))
            return
        prefix = name.rstrip("/") + "/"
        self._work.add(len(earlier.files))
        # Listed first: a stage may copy from one whose files are its own.
        for path, file in list(earlier.files.items()):
            if path.startswith(prefix):
                target = posixpath.join(self._target, path.removeprefix(prefix))
                self._place(target, replace(file, line=line))

    def from_context(self, source: str) -> None:
        """Copy files of the build context.

        Raises:
            SubmissionFault: it holds none of that name.
        """
        found = self._find(source)
        for name in found:
            self._work.add(1 if name in self._context.files else len(self._context.files))
            for path, file in self._files_of(name):
                if self._excluded.matches(posixpath.relpath(path, self._target)):
                    continue
                mode = self._executable if self._executable is not None else file.executable
                line = self._instruction.start_line
                self._place(path, replace(file, line=line, executable=mode))
        if found and all(name in self._context.folders for name in found):
            self._stage.folders.add(self._target)

    def _find(self, source: str) -> list[str]:
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
            name = self._instruction.name
            raise fault(self._instruction, f"{name} cannot bring {source}: {reason}{outside}")
        return found

    def _files_of(self, name: str) -> Iterator[tuple[str, File]]:
        """Yield what one source brings: a file, or all that is in a folder."""
        if name in self._context.files:
            parents = posixpath.join(self._target, name)
            yield parents if self._keeps_parents else self._name_of(name), self._file(name)
            return
        prefix = f"{name}/" if name else ""
        for path in self._context.files:
            if path.startswith(prefix):
                tail = path if self._keeps_parents else path.removeprefix(prefix)
                yield posixpath.join(self._target, tail), self._file(path)

    def _name_of(self, file: str) -> str:
        """Return what a single file is called when it is copied."""
        if self._is_into_folder:
            return posixpath.join(self._target, posixpath.basename(file))
        return self._target

    def _file(self, name: str) -> File:
        path = self._context.files[name]
        return File(path, name, 0, os.access(path, os.X_OK))

    def _place(self, name: str, file: File) -> None:
        path = posixpath.normpath(name)
        if len(path) > _MAX_PATH_CHARACTERS or path.count("/") > _MAX_PATH_FOLDERS:
            raise fault(self._instruction, "the path of a file is too long")
        self._stage.files[path] = file
        while (path := posixpath.dirname(path)) not in self._stage.folders:
            self._stage.folders.add(path)


def _is_made_by_run(stage: BuildStage, folder: str) -> bool:
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
