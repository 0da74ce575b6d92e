"""The command line as a whole: names of tasks, exit statuses, help, what it imports, the seam."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest

from ml_api_lab.cli import main as command_line
from ml_api_lab.cli.tasks import lab_command
from ml_api_lab.errors import HarnessError
from tests.support.lab import Lab, run
from tests.support.toy import own_environment

COMMANDS = command_line.lab.list_commands(click.Context(command_line.lab))


@pytest.mark.parametrize(
    "said",
    ["0.2", "0_2", "task_0_2", "task 0.2", "Task 0.2", "exercises/task_0_2/", "0-2", "0_2/main.py"],
)
def test_a_task_is_named_as_people_say_it(said: str, lab: Lab) -> None:
    assert "exercises/task_0_2" not in lab("diff", said).err
    assert lab("reset", said).out == "0.2 has the files of the stub already.\n"


@pytest.mark.parametrize("said", ["0.3", "zero", "", "2", "0.1.2", "task_0_3"])
def test_what_names_no_task_is_refused(said: str, lab: Lab) -> None:
    answer = lab("reset", said)
    assert (answer.status, answer.out) == (4, "")
    assert f"{said!r} is no task of the course; its tasks are 0.1 to 0.2" in answer.err


def test_in_the_folder_of_a_task_that_one_is_meant(lab: Lab) -> None:
    lab.exercise("task_0_2").write_text("changed", encoding="utf-8")
    assert lab("undo").out == "There is no reset to undo.\n"
    assert "There are no" not in lab("hint", here="checks/task_0_1").out
    assert lab("hint", here="exercises/task_0_2").err == "Task 0.2 has no hints.\n"


@pytest.mark.parametrize("command", ["diff", "reset"])
def test_what_shows_or_changes_files_takes_no_other_task(command: str, lab: Lab) -> None:
    said = lab(command)
    assert (said.status, said.out) == (4, "")
    assert said.err.startswith(f"Which task? Name it, as in lab {command} 0.1, or change into its")
    inside = lab(command, here="exercises/task_0_2")
    assert inside.status == 0
    assert "the same" in inside.out or "0.2 has the files of the stub" in inside.out


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("rum", "There is no command 'rum'. Did you mean lab run? See lab --help."),
        ("xyz", "There is no command 'xyz'. See lab --help."),
        ("test", "There is no command 'test'. Did you mean lab run? See lab --help."),
        ("Grade", "There is no command 'Grade'. Did you mean lab run? See lab --help."),
        ("check", "There is no command 'check'. Did you mean lab run? See lab --help."),
        ("show", "There is no command 'show'. Did you mean lab read? See lab --help."),
        ("open", "There is no command 'open'. Did you mean lab read? See lab --help."),
        ("solution", "There is no command 'solution'. Did you mean lab diff? See lab --help."),
        ("0.1", "A command comes before the task: lab run 0.1"),
        ("task_0_1", "A command comes before the task: lab run task_0_1"),
    ],
)
def test_an_unknown_command_is_told_with_what_is_near(word: str, told: str, lab: Lab) -> None:
    said = lab(word)
    assert said.status == 4
    assert f"Error: {told}\n" in said.err


@pytest.mark.parametrize("word", ["next", "start", "begin"])
def test_who_looks_for_a_task_is_told_where_it_is(word: str, lab: Lab) -> None:
    told = "Write lab alone: it names the next task, what to read and which file to edit."
    assert f"There is no command {word!r}. {told} See lab --help." in lab(word, "0.1").err


@pytest.mark.parametrize("word", ["rest", "resets", "rset", "undoo", "und", "redo", "revert"])
def test_what_replaces_work_is_never_suggested(word: str, lab: Lab) -> None:
    said = lab(word, "0.1")
    assert said.status == 4
    assert "lab reset" not in said.err and "lab undo" not in said.err


def test_outside_a_course_there_is_one_sentence(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert (said.status, said.out) == (4, "")
    assert said.err.count("\n") == 1 and "is not in a course" in said.err


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["hint", "--number", "0"], ["run", "--no-such"], ["list", "x"]]
)
def test_a_wrong_command_ends_as_pytest_does(words: list[str], lab: Lab) -> None:
    said = lab(*words)
    assert (said.status, said.out) == (4, "")
    assert "Usage: lab" in said.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HarnessError("It broke."), 3),
        (KeyboardInterrupt(), 2),
        (click.Abort(), 2),
        (click.UsageError("No."), 4),
    ],
)
def test_what_goes_wrong_becomes_a_status_of_pytest(
    error: BaseException, status: int, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise error

    monkeypatch.setattr("ml_api_lab.cli.commands.list.show_overview", fail)
    assert lab().status == status


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_shows_examples(name: str, lab: Lab) -> None:
    said = lab(name, "--help")
    assert said.status == 0
    _, _, examples = said.out.partition("Examples:")
    assert all(line.strip().startswith(f"lab {name}") for line in examples.strip().splitlines())
    assert examples.strip()


def test_the_help_lists_all_commands(lab: Lab) -> None:
    assert all(f"\n  {name} " in lab("--help").out for name in COMMANDS)


def test_others_add_commands_by_an_entry_point(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    @lab_command("greet", "lab greet")
    def greet() -> int:
        """Say hello."""
        click.echo("hello")
        return 5

    class Added(metadata.EntryPoint):
        def load(self) -> click.Command:
            return greet

    added = metadata.EntryPoints([Added("greet", "x:y", command_line.ENTRY_POINTS)])
    monkeypatch.setattr(command_line, "_added", lambda: added)
    said = lab("greet")
    assert (said.status, said.out) == (5, "hello\n")
    assert "\n  greet    Say hello." in lab("--help").out


@pytest.mark.parametrize("words", [[], ["list"], ["list", "--json"], ["hint", "0.1"], ["history"]])
def test_what_is_asked_often_imports_little(words: list[str], lab: Lab) -> None:
    slow = {"pytest", "_pytest", "fastapi", "httpx", "asyncio", "watchfiles", "numpy", "rich"}
    program = (
        "import sys\nfrom ml_api_lab.cli.main import main\n"
        f"sys.argv[1:] = {words!r}\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('loaded', sorted({slow!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=lab.course,
        env=own_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_who_reads_no_further_is_no_error(lab: Lab) -> None:
    command = f'"{sys.executable}" -m ml_api_lab.cli list --json | head -1'
    done = subprocess.run(
        command, shell=True, cwd=lab.course, env=own_environment(), capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")
