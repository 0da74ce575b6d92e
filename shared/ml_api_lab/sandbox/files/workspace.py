"""A workspace: a copy of a task's folder, where a submission may write what it likes."""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ml_api_lab.errors import HarnessError, NotThere, SubmissionFault
from ml_api_lab.sandbox.files import shared_memory, source_text
from ml_api_lab.sandbox.files.folder_contents import LEADS_OUT, FolderContents, survey
from ml_api_lab.sandbox.files.plain_file import open_plain, plain_files, read_plain, write_plain
from ml_api_lab.sandbox.files.state import State, is_unchanged, state_of

_MAX_NAMES = 20_000
"""How many files of a workspace are looked at: a submission may write without end."""

_MAX_READ_BYTES = 32 * 2**20
"""How large a file may be that a check reads."""

_MAX_IN_MEMORY_BYTES = 16 * 2**20
"""The largest copy that is made there: dozens of them may be laid out at a time."""

_MIN_FREE_MEMORY_BYTES = 2**30
"""How much must be free there: containers may have as little as 64 MB of it."""

_MIN_FREE_DISK_BYTES = 32 * 2**20
"""How much must be free where copies are made: submissions write there as well."""

_MACHINE_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
"""What keeps a file from being copied and is not that file's fault."""

_MAX_NAMES_SHOWN = 6

_OUTPUT = "output-"

_unremoved: list[Path] = []
"""What could not be removed yet."""


def _parent_folder(size: int) -> str | None:
    """Return the folder in which to make a workspace; None is where temporary files go.

    That is memory where there is enough of it, and TMPDIR asks for no other place: a run makes and
    removes hundreds of files, and a disk's file system (ext4) finds a free place for the next one
    the more slowly, the more have just been removed.
    """
    if (
        size > _MAX_IN_MEMORY_BYTES
        or "TMPDIR" in os.environ
        or not os.access(shared_memory.FOLDER, os.W_OK | os.X_OK)
    ):
        return None
    there = os.statvfs(shared_memory.FOLDER)
    fits = (
        there.f_bavail * there.f_frsize >= _MIN_FREE_MEMORY_BYTES
        and not there.f_flag & os.ST_NOEXEC
    )
    return shared_memory.FOLDER if fits else None


class Workspace:
    """A copy of a folder, under its own name in a new temporary folder.

    A link that leads elsewhere in its tree is copied as what it leads to, one to a folder of the
    copy itself leads there again. A link out of the tree is never followed.

    Attributes:
        root: the temporary folder.
        folder: the copy in it.
        temporary: a folder beside the copy, for temporary files.

    Args:
        original: the folder to copy.
        name: what to call the copy.
        shown_as: how the original is called in messages.
        root: the tree that the folder is in; by default, the folder itself.

    Raises:
        NotThere: there is no such folder, or it cannot be copied.
        HarnessError: there is no room for the copy.
    """

    def __init__(self, original: Path, name: str, shown_as: str, root: Path | None = None) -> None:
        self._original = original
        self._tree = (root or original).resolve()
        self._shown_as = shown_as
        contents = self._read_contents()
        self._unusable = contents.unusable
        self._top_level = [each for each in (*contents.folders, *contents.files) if "/" not in each]
        place = _parent_folder(contents.size)
        try:
            self.root = Path(tempfile.mkdtemp(prefix="lab-", dir=place)).resolve()
        except OSError as error:
            raise _no_space_error(f"No scratch copy could be made ({error})") from None
        self.folder = self.root / "tree" / name
        self.temporary = self.root / "temporary"
        try:
            free = shutil.disk_usage(self.root).free
            if free < _MIN_FREE_DISK_BYTES + contents.size:
                raise _no_space_error(f"{free // 2**20} MB are free in {self.root.parent}")
            # python-dotenv takes the nearest file of this name in the folders above who asks.
            (self.root / ".env").touch()
            self.folder.mkdir(parents=True)
            self.temporary.mkdir()
            self._copy(contents)
        except OSError as error:
            self.close()
            raise _no_space_error(f"No scratch copy could be made ({error})") from None
        except BaseException:
            self.close()
            raise

    def _read_contents(self) -> FolderContents:
        try:
            if not self._original.is_dir():
                if self._original.exists():
                    raise NotThere(f"{self._shown_as} is a file; it must be a folder.")
                raise NotThere(f"{self._shown_as} is missing{self._rename_advice()}.")
            original = self._original.resolve()
            if not original.is_relative_to(self._tree):
                raise NotThere(f"{self._shown_as} {LEADS_OUT}; put the folder itself there.")
            contents = survey(original, self._tree)
        except OSError as error:
            raise NotThere(
                f"{self._shown_as} cannot be read ({error.strerror or error})."
            ) from None
        if much := contents.excess:
            raise NotThere(
                f"{self._shown_as} holds {much}; leave nothing there but what belongs to the task."
            )
        return contents

    def _rename_advice(self) -> str:
        """Return the end of a sentence about a folder that is called nearly as this one."""
        folder = self._original.parent
        like = _similar_name(self._original.name, os.listdir(folder) if folder.is_dir() else [])
        return f"; rename {like} to {self._original.name}" if like else ""

    def _copy(self, contents: FolderContents) -> None:
        for name in contents.folders:
            (self.folder / name).mkdir()
        for name, leads_to in contents.links.items():
            try:
                os.symlink(leads_to, self.folder / name)
            except OSError as error:  # Windows asks for a right to make links
                self._unusable[name] = f"cannot be linked to ({error.strerror or error})"
        for name in contents.files:
            try:
                with (
                    open_plain(self._tree, contents.sources[name]) as source,
                    (self.folder / name).open("xb") as target,
                ):
                    shutil.copyfileobj(source, target)
                    mode = os.fstat(source.fileno()).st_mode
                (self.folder / name).chmod((mode & 0o777) | 0o600)
            except OSError as error:
                if error.errno in _MACHINE_ERRNOS:
                    raise
                self._unusable[name] = f"cannot be read ({error.strerror or error})"

    def require(self, name: str) -> Path:
        """Return the path of a file of the submission.

        Raises:
            NotThere: it has no such file.
        """
        path = self.folder / name
        if name in self._unusable and not path.exists():
            raise NotThere(f"{self._shown_as}/{name} {self._unusable[name]}.")
        if path.is_symlink():
            raise NotThere(f"{self._shown_as}/{name} is a link; it must be a file.")
        if path.is_dir():
            raise NotThere(f"{self._shown_as}/{name} is a folder; it must be a file.")
        # By its very name, also where the file system would take another for it.
        if not path.is_file() or path.name not in os.listdir(path.parent):
            raise NotThere(f"{self._shown_as}/{name} is missing; {self._file_advice(name)}.")
        return path

    def _file_advice(self, name: str) -> str:
        """Say what the submission's folder holds, for somebody who has named a file otherwise."""
        if like := _similar_name(name, self._top_level):
            return f"rename {like} to {name}"
        shown = sorted(self._top_level)[:_MAX_NAMES_SHOWN]
        more = len(self._top_level) - len(shown)
        names = ", ".join(shown) + (f" and {more} more" if more else "")
        return f"the folder holds {names}" if names else "the folder is empty"

    def path(self, name: str) -> Path:
        """Return where that file is or would be; `..` leads to the folder beside it."""
        return self.folder / name

    def outside(self, name: str) -> Path:
        """Return a path that no submission would find by itself."""
        return self.root / name

    def output(self, number: int) -> Path:
        """Return the path of what a process of the submission prints."""
        return self.outside(f"{_OUTPUT}{number}")

    def exists(self, name: str) -> bool:
        """Whether it is there, as a file or folder; whatever a link leads to is not."""
        return self.path(name).exists() and not self.path(name).is_symlink()

    def text(self, name: str, limit: int = _MAX_READ_BYTES) -> str:
        """Return the text of a file of the submission.

        Raises:
            SubmissionFault: it is missing, too large to be read, or not UTF-8.
        """
        try:
            return self.data(name, limit).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SubmissionFault(
                f"{self._shown_as}/{name} is not UTF-8 text (byte {error.start}); save it as UTF-8."
            ) from None

    def data(self, name: str, limit: int = _MAX_READ_BYTES) -> bytes:
        """Return what is in a file of the submission, of at most so many bytes.

        Raises:
            SubmissionFault: it is missing, or too large to be read.
        """
        self.require(name)
        try:
            data = read_plain(self.root, self._inside(name), limit)
        except OSError as error:
            raise NotThere(
                f"{self._shown_as}/{name} cannot be read ({error.strerror or error})."
            ) from None
        if data is None:
            size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 1000} kB"
            raise SubmissionFault(
                f"{self._shown_as}/{name} has more than {size}, too much to read."
            )
        return data

    def contains(self, name: str, word: bytes) -> bool:
        """Whether a file, of whatever size, has that word in it; one that is gone has not."""
        return source_text.contains(self.root, self._inside(name), word)

    def _inside(self, name: str) -> str:
        """Return a path from the workspace's root; `..` leads to the folder beside it."""
        return (Path("tree", self.folder.name) / name).as_posix()

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file, and the folders on the way to it."""
        data = content if isinstance(content, bytes) else content.encode()
        write_plain(self.root, self._inside(name), data)
        return self.path(name)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        self.path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the submission's files as relative paths, sorted.

        Raises:
            SubmissionFault: there are too many to look at all of them.
        """
        try:
            return sorted(plain_files(self.folder, _MAX_NAMES))
        except OSError:
            raise SubmissionFault(
                f"{self._shown_as} came to more than {_MAX_NAMES} files while it ran."
            ) from None

    def state(self) -> State:
        """Return all that a program finds here at this moment, but for what others have printed.

        Raises:
            OSError: there is too much, or a file that cannot be read.
        """
        return state_of(self.root, _OUTPUT)

    def is_unchanged(self, before: State) -> bool:
        """Whether all is as it was.

        Raises:
            OSError: there is too much, or a file that cannot be read.
        """
        return is_unchanged(self.root, _OUTPUT, before)

    @property
    def has_room(self) -> bool:
        """Whether there is room left for what is written here."""
        try:
            return shutil.disk_usage(self.root).free >= _MIN_FREE_DISK_BYTES
        except OSError:  # it is gone
            return True

    def close(self) -> None:
        """Remove the copy; what is still in use, or too deep, is left for `sweep`."""
        try:
            shutil.rmtree(self.root, ignore_errors=True)
        except RecursionError:
            pass
        if self.root.exists():
            _unremoved.append(self.root)


def _no_space_error(problem: str) -> HarnessError:
    return HarnessError(
        f"{problem}, and each check works in a scratch copy; make room, or set TMPDIR to a folder "
        "that has some."
    )


def _similar_name(name: str, names: Iterable[str]) -> str | None:
    """Return that of the names which differs from the name in what is easily mistaken alone."""
    bare = {_normalized(each): each for each in names}
    return bare.get(_normalized(name))


def _normalized(name: str) -> str:
    return re.sub(r"[\W_]", "", re.sub(r"\.yml$", ".yaml", name.casefold()))


def sweep() -> None:
    """Remove what could not be removed before, and what was left in shared memory.

    To be called when nothing works there any more.
    """
    while _unremoved:
        _remove_tree(_unremoved.pop())
    shared_memory.sweep_shared_memory()


def _remove_tree(outer: Path) -> None:
    """Remove a folder of any depth, whatever its parts permit.

    Unlike `shutil.rmtree` it would follow a link that somebody puts there meanwhile.
    """
    waiting, number = [outer], itertools.count()
    try:
        while waiting:
            folder = waiting.pop()
            folder.chmod(0o700)
            for path in list(folder.iterdir()):
                if path.is_symlink():
                    path.unlink()
                    continue
                path.chmod(0o700)  # Windows removes no file that is read-only
                if not path.is_dir():
                    path.unlink()
                    continue
                # Moved up, so that no path becomes too long.
                waiting.append(path.rename(outer / f"removed-{next(number)}"))
            if folder != outer:
                folder.rmdir()
        outer.rmdir()
    except OSError:
        pass  # somebody else's by now
