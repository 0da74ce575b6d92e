"""`lab class`: the group of commands, found by `lab` through the package's entry point.

Each command is a module of this package, imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = (
    "grade",
    "verify",
    "merge",
    "regrade",
    "apply",
    "discard",
    "feedback",
    "page",
    "export",
)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found = import_module(f"ml_api_class.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found


@click.group(
    cls=_Commands,
    epilog="Example: lab class grade submissions/ --roster roster.csv --out run",
)
def command() -> None:
    """Grade a class: isolated, side by side, and going on where it was."""
