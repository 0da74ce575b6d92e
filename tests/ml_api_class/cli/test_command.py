"""The group of commands: found by `lab`, each with help that ends with an example."""

from __future__ import annotations

from importlib import metadata

import click
import pytest
from click.testing import CliRunner

from ml_api_class.cli.command import command
from ml_api_lab.cli.main import ENTRY_POINTS, lab


def test_lab_finds_it_through_its_entry_point() -> None:
    assert [each.value for each in metadata.entry_points(group=ENTRY_POINTS, name="class")] == [
        "ml_api_class.cli.command:command"
    ]
    assert lab.get_command(click.Context(lab), "class") is command


@pytest.mark.parametrize("words", [[], ["class"], ["author"]])
def test_the_list_of_commands_cuts_no_sentence(words: list[str]) -> None:
    done = CliRunner().invoke(lab, [*words, "--help"], terminal_width=80)
    rows = done.output.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert rows and [row for row in rows if not row.endswith(".") or row.endswith("...")] == []


def test_each_command_has_help_with_an_example() -> None:
    for name in command.list_commands(click.Context(command)):
        done = CliRunner().invoke(command, [name, "--help"])
        assert done.exit_code == 0
        assert f"lab class {name} " in done.output.partition("Examples:")[2]
    assert "No such command" in CliRunner().invoke(command, ["gradde"]).output
