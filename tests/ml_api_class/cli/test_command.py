"""The group of commands: found by `lab`, each with help that ends with an example."""

from __future__ import annotations

from importlib import metadata

import click
from click.testing import CliRunner

from ml_api_class.cli.command import command
from ml_api_lab.cli.main import ENTRY_POINTS, lab


def test_lab_finds_it_through_its_entry_point() -> None:
    assert [each.value for each in metadata.entry_points(group=ENTRY_POINTS, name="class")] == [
        "ml_api_class.cli.command:command"
    ]
    assert lab.get_command(click.Context(lab), "class") is command


def test_each_command_has_help_with_an_example() -> None:
    for name in command.list_commands(click.Context(command)):
        done = CliRunner().invoke(command, [name, "--help"])
        assert done.exit_code == 0
        assert f"lab class {name} " in done.output.partition("Examples:")[2]
    assert "No such command" in CliRunner().invoke(command, ["gradde"]).output
