"""The command `lab`: finds the module of a command, and turns what goes wrong into exit statuses.

Each command is a module of `commands` with a `command` in it, imported when it is asked for: a
hint is not to wait for what a grade needs. Other distributions add commands of their own through
entry points of the group `ml_api_lab.commands`; each is a click command, or a group of them, under
the entry point's name.
"""

from __future__ import annotations

import os
import re
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

import click

from ml_api_lab.errors import HarnessError, LabError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.version import VERSION

ENTRY_POINTS = "ml_api_lab.commands"

_OWN = (
    "run",
    "watch",
    "list",
    "read",
    "hint",
    "diff",
    "reset",
    "undo",
    "history",
    "serve",
    "doctor",
    "author",
)

_REPLACE_WORK = {"reset", "undo"}
"""Commands that are never suggested: who takes a suggestion without thought would lose files."""

_SUGGESTIONS = {
    **dict.fromkeys(("test", "tests", "grade", "check"), "Did you mean lab run?"),
    **dict.fromkeys(("show", "open", "task", "readme"), "Did you mean lab read?"),
    **dict.fromkeys(("solution", "solutions", "answer"), "Did you mean lab diff?"),
    **dict.fromkeys(
        ("next", "start", "begin"),
        "Write lab alone: it names the next task, what to read and which file to edit.",
    ),
}
"""What to say to words that people try, and whose meaning no similar spelling tells."""

_TASK = re.compile(r"(task[\s_.-]*)?\d+[\s_.-]\d+", re.IGNORECASE)


if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


def _added() -> EntryPoints:
    """Return the entry points of commands that others add."""
    from importlib import metadata  # late: it takes longer than all that a hint needs

    return metadata.entry_points(group=ENTRY_POINTS)


class Commands(click.Group):
    """The commands of this package, and those that others add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        added = {each.name for each in _added()}
        return [*_OWN, *sorted(added.difference(_OWN))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _OWN:
            found = import_module(f"ml_api_lab.cli.commands.{cmd_name}").command
        else:
            found = next((each.load() for each in _added() if each.name == cmd_name), None)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            if _TASK.fullmatch(name):
                raise click.UsageError(f"A command comes before the task: lab run {name}", ctx)
            suggestion = _SUGGESTIONS.get(name.lower()) or self._closest(ctx, name)
            told = filter(None, [f"There is no command {name!r}.", suggestion, "See lab --help."])
            raise click.UsageError(" ".join(told), ctx)
        return super().resolve_command(ctx, args)

    def _closest(self, ctx: click.Context, name: str) -> str:
        """Return a question about the command that is spelt most like it, "" if none is."""
        harmless = [each for each in self.list_commands(ctx) if each not in _REPLACE_WORK]
        close = get_close_matches(name, harmless, 1)
        return f"Did you mean lab {close[0]}?" if close else ""


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Write a task as 3.2, 3_2 or task_3_2. In exercises/task_3_2 you can leave it out. "
    "Example: lab watch 3.2",
)
@click.version_option(VERSION, message="ml-api-lab %(version)s")
@click.pass_context
def lab(context: click.Context) -> int:
    """Work on the lab's tasks. Alone, lab shows where you are and what comes next."""
    if context.invoked_subcommand is None:
        status: int = import_module("ml_api_lab.cli.commands.list").show_overview()
        return status
    return ExitStatus.ALL_POINTS


def main() -> None:
    """Run the command line; exit with one of pytest's statuses."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    try:
        status = lab.main(prog_name="lab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = ExitStatus.USAGE_ERROR
    except (KeyboardInterrupt, click.Abort):
        status = ExitStatus.INTERRUPTED
    except HarnessError as error:
        click.echo(error, err=True)
        status = ExitStatus.HARNESS_FAILED
    except LabError as error:
        click.echo(error, err=True)
        status = ExitStatus.USAGE_ERROR
    except BrokenPipeError:
        # Who reads our output has seen enough; Python is not to complain about it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ExitStatus.INTERRUPTED
    sys.exit(status)
