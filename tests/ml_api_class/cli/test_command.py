"""The group of commands: found by `lab`, and saying what is missing where its extra is."""

from __future__ import annotations

from importlib import metadata

import click
import pytest
from click.testing import CliRunner

from ml_api_class.cli import command as module
from ml_api_class.cli.command import command
from ml_api_lab.cli.main import ENTRY_POINTS, lab
from ml_api_lab.errors import WrongEnvironment


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


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(WrongEnvironment, match=r'python -m pip install -e "\.\[class\]"'):
        command.get_command(click.Context(command), "grade")
