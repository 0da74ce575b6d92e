"""Every command in a block of README.md, CONTRIBUTING.md and docs/ does what the page says.

Slow: it grades all tasks, and installs the lab as the README says. `tox -e docs` runs it, on Linux.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.ways import WAYS, Run, Serve, Watch
from tests.support.terminal import Terminal
from tests.support.toy import LIMIT, ROOT, own_environment

INSTALLS_SECONDS = 900
"""A limit for what installs packages and grades all tasks after that."""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("git") is None,
    reason="the shell and the class's isolation are those of Linux",
)


class Copy:
    """A copy of the lab, and a home folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "lab"
        self.home = folder / "home"
        self.home.mkdir()
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / name)

    def add_the_task_of_the_guide(self) -> None:
        """Write the files that CONTRIBUTING.md shows."""
        guide = (self.folder / "CONTRIBUTING.md").read_text(encoding="utf-8")
        for name, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", guide, re.M | re.DOTALL):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text(encoding="utf-8") + "\n" if path.exists() else ""
            path.write_text(before + text, encoding="utf-8")

    def environment(self, text: str) -> dict[str, str]:
        """Return the environment of a command: its home is a new one if it speaks of that."""
        programs = Path(sys.executable).parent
        changed = {"PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])}
        if "HOME" in text or "~" in text:
            changed["HOME"] = str(self.home)
        return own_environment(**changed)

    def run(self, way: Run, text: str) -> None:
        if way.before:
            self._prepare(way.before)
        done = self._bash(way.instead or text)
        assert done.returncode == way.status, f"{text}: {done.returncode}\n{done.stdout}"
        assert way.says in done.stdout, f"{text}:\n{done.stdout}"

    def watch(self, way: Watch, text: str) -> None:
        terminal = Terminal(self.folder, *text.split()[1:])
        try:
            terminal.expect(re.escape(way.says))
            terminal.expect("points, in")
            terminal.press("q")
            assert terminal.status() == 1
        finally:
            terminal.close()

    def serve(self, text: str) -> None:
        with subprocess.Popen(
            ["bash", "-c", text],
            cwd=self.folder,
            env=self.environment(text),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "startup complete" in line or "rror" in line:
                    break
            subprocess.run(["kill", f"-{signal.SIGINT.value}", "--", f"-{process.pid}"], check=True)
            said += process.communicate(timeout=LIMIT)[0]
        assert "Application startup complete" in said, said

    def _prepare(self, text: str) -> None:
        done = self._bash(text)
        assert done.returncode == 0, f"{text}:\n{done.stdout}"

    def _bash(self, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment(text),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=INSTALLS_SECONDS,
            check=False,
        )


@pytest.mark.parametrize("page", WAYS)
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    if page == "CONTRIBUTING.md":
        copy.add_the_task_of_the_guide()
    for text, way in WAYS[page].items():
        match way:
            case Run():
                copy.run(way, text)
            case Watch():
                copy.watch(way, text)
            case Serve():
                copy.serve(text)
