"""`lab class`: the group of commands, found by `lab` through the package's entry point.

Each command is a module of this package, imported when it is asked for. What the lab's own
installation lacks (the extra `class`) is told when a command is run, not when `lab` lists them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import click

from ml_api_lab.errors import WrongEnvironment

_COMMANDS = ("grade", "verify", "merge", "regrade", "apply", "discard", "feedback")
_NEEDED = "psutil"


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if find_spec(_NEEDED) is None:
            raise WrongEnvironment(
                "lab class is not installed here; in the folder of the lab, run: "
                'python -m pip install -e ".[class]"'
            )
        found = import_module(f"ml_api_class.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found


@click.group(
    cls=_Commands,
    hidden=find_spec(_NEEDED) is None,
    epilog="Example: lab class grade submissions/ --roster roster.csv --out run",
)
def command() -> None:
    """Grade a class: isolated, side by side, and going on where it was."""
