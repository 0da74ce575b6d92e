"""The files for editors do what docs/editors.md says, on what the lab really prints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import click
import pytest

from ml_api_lab.cli import main as command_line
from tests.support.editor import PROBLEM, ROOT, TASKS, load
from tests.support.lab import keep_stubs
from tests.support.toy import LIMIT, own_environment, started
from tests.support.toy_tasks import two_tasks

COMMANDS = command_line.lab.list_commands(click.Context(command_line.lab))
PYTHON = "${command:python.interpreterPath}"
LAUNCHES = {each["name"]: each for each in load(".vscode/launch.json")["configurations"]}
VARIABLE = re.compile(r"\$\{([^}]+)\}")
KNOWN_VARIABLES = {
    "workspaceFolder",
    "fileDirname",
    "command:python.interpreterPath",
    "containerWorkspaceFolder",
    "containerEnv:PATH",
}


def words_of(task: str) -> list[str]:
    """Return the command of a task, with this Python."""
    assert TASKS[task]["command"] == PYTHON
    return [sys.executable, *TASKS[task]["args"]]


@pytest.mark.parametrize(
    "file",
    [
        ".vscode/extensions.json",
        ".vscode/launch.json",
        ".vscode/settings.json",
        ".vscode/tasks.json",
        ".devcontainer/devcontainer.json",
    ],
)
def test_each_variable_is_one_that_vs_code_knows(file: str) -> None:
    assert load(file)
    text = (ROOT / file).read_text(encoding="utf-8")
    inputs = {f"input:{each['id']}" for each in load(file).get("inputs", [])}
    assert set(VARIABLE.findall(text)) <= KNOWN_VARIABLES | inputs


def test_the_test_explorer_runs_the_checks_of_the_course() -> None:
    settings = load(".vscode/settings.json")
    assert settings["python.testing.pytestEnabled"] is True
    assert settings["python.testing.cwd"] == "${workspaceFolder}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "--rootdir", str(ROOT)]
        + settings["python.testing.pytestArgs"],
        cwd=ROOT,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stdout
    for task in (ROOT / "checks").glob("task_*"):
        assert f"\nchecks/{task.name}/" in f"\n{done.stdout}"


def test_the_test_explorer_takes_a_check_for_one_test(tmp_path: Path) -> None:
    """VS Code looks for the name of a case wherever a test has parameters, and else gives up."""
    course = two_tasks(tmp_path / "course")
    (course.root / "lister.py").write_text(
        "def pytest_sessionfinish(session):\n"
        "    for item in session.items:\n"
        "        print('listed', item.name, '[' in item.name, hasattr(item, 'callspec'))\n",
        encoding="utf-8",
    )
    said = course.run("-p", "lister", "--collect-only", "-q", report=False).text
    listed = re.findall(r"^listed (\w+) (\w+) (\w+)$", said, re.MULTILINE)
    assert len(listed) == 4, said
    assert {(is_case, has_parameters) for _, is_case, has_parameters in listed} == {
        ("False", "False")
    }


def test_each_task_and_launch_runs_a_command_of_the_lab() -> None:
    for task in TASKS.values():
        assert task["args"][:2] == ["-m", "ml_api_lab.cli"] or task["args"][:2] == ["-m", "pytest"]
        if task["args"][1] == "ml_api_lab.cli":
            assert task["args"][2] in COMMANDS
    for launch in LAUNCHES.values():
        if launch["request"] == "launch":
            assert launch["module"] == "ml_api_lab.cli"
            assert launch["args"][0] in COMMANDS
        assert launch.get("preLaunchTask", "grade this task") in TASKS


def test_both_matchers_read_the_same_lines() -> None:
    one, other = (TASKS[name]["problemMatcher"] for name in ("grade this task", "watch this task"))
    assert {**one, "background": None} == {**other, "background": None}
    assert TASKS["watch this task"]["isBackground"] is True


def test_the_task_marks_each_failed_check(tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    done = subprocess.run(
        words_of("grade this task"),
        cwd=course.root / "exercises" / "task_0_1",
        env=own_environment(**TASKS["grade this task"]["options"]["env"]),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    marks = [found.groups() for line in done.stdout.splitlines() if (found := PROBLEM.search(line))]
    file = "exercises/task_0_1/main.py"
    assert marks == [
        (file, "1", "It printed 'bye'; 'hello' is right."),
        (file, "1", "It took 0 s; 2 s is right."),
    ]


def watching(folder: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Watch a task as the editor does, with a limit."""
    settings = TASKS["watch this task"]["options"]["env"]
    environment = own_environment(**settings, PYTHONUNBUFFERED="1")
    return started(words_of("watch this task"), folder, environment)


def test_the_watch_begins_and_ends_each_grading(tmp_path: Path) -> None:
    background = TASKS["watch this task"]["problemMatcher"]["background"]

    def one_grading(process: subprocess.Popen[str]) -> list[str]:
        assert process.stdout is not None
        begun = False
        lines: list[str] = []
        for line in map(str.rstrip, process.stdout):
            if re.search(background["beginsPattern"], line):
                begun, lines = True, []
            elif begun and re.search(background["endsPattern"], line):
                return [each for each in lines if PROBLEM.search(each)]
            lines.append(line)
        raise AssertionError(f"it ended after {lines}")

    folder = keep_stubs(two_tasks(tmp_path / "course")).root / "exercises" / "task_0_1"
    with watching(folder) as process:
        assert len(one_grading(process)) == 2
        (folder / "main.py").write_text("x = 1\ny = (\n", encoding="utf-8")
        assert one_grading(process) == ["exercises/task_0_1/main.py:2: '(' was never closed"]


def test_the_container_prepares_everything_when_it_is_created() -> None:
    container = load(".devcontainer/devcontainer.json")
    assert not {"postCreateCommand", "postStartCommand", "updateContentCommand"} & set(container)
    steps = [shlex.split(each) for each in container["onCreateCommand"].split("&&")]
    assert [step[0] for step in steps] == ["python", ".venv/bin/pip", ".venv/bin/lab"]
    assert (ROOT / "constraints.txt").is_file() and "constraints.txt" in steps[1]
    assert steps[2][1] in COMMANDS
    assert (
        container["customizations"]["vscode"]["extensions"]
        == (load(".vscode/extensions.json")["recommendations"])
    )
