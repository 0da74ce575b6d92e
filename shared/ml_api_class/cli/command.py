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

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            formatter.write_text("lab class grade submissions/ --roster roster.csv --out run")


@click.group(cls=_Commands)
def command() -> None:
    """Grade a class: all submissions with one command.

    Each submission is isolated. An interrupted run continues where it stopped.
    """
