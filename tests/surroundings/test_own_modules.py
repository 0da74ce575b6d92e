"""A submission's modules: which win, and what is said where one hides another."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ml_api_lab.check import Clock, Task
from ml_api_lab.errors import StartFailed, Stopped
from tests.support.toy import Course, Scenes

APP = """
{}
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def root():
    return {{"said": {}}}
"""
SERVES = '''
@points(10, hint="Which path?")
async def test_serves(task: Task):
    """It serves."""
    async with task.serve() as client:
        answer = await client.get("/")
    assert answer.json() == {"said": "mine"}, f"It answered {answer.text}; mine is right."
'''
PRINTS = '''
@points(10, hint="What?")
async def test_prints(task: Task):
    """It prints."""
    run = await task.run()
    assert run.output == "mine", f"It printed {run.output!r}; 'mine' is right."
'''


@dataclass(frozen=True)
class Case:
    """A submission with a module of its own, and how the message of its check begins; "" passes."""

    files: dict[str, str]
    says: str = ""
    checks: str = SERVES


def served(
    name: str, use: str, shown: str, content: str = "said = 'mine'\n", says: str = ""
) -> Case:
    return Case({"main.py": APP.format(use, shown), f"{name}.py": content}, says)


def script(name: str) -> Case:
    files = {"main.py": f"import {name}\nprint({name}.said)\n", f"{name}.py": "said = 'mine'\n"}
    return Case(files, checks=PRINTS)


HIDES = "{0}.py hides the library of that name; call it something else"
WINS = [served(name, f"from {name} import said", "said") for name in ("code", "pprint", "pytest")]
UNUSED = [served(name, "", "'mine'", "X = 1\n") for name in ("freezegun", "numpy", "ml_api_lab")]
LOSES = [
    served(name, f"import {name}", f"getattr({name}, 'said', 'mine')", "said = 'no'\n")
    for name in ("json", "click", "uvicorn")
]
BESIDE_A_SCRIPT = [script(name) for name in ("queue", "random", "asyncio", "fastapi")]
HIDING = [
    served(name, use, "'mine'", "X = 1\n", HIDES.format(name))
    for name, use in {
        "fastapi": "from fastapi import FastAPI",
        "colorsys": "import colorsys\ncolorsys.rgb_to_hsv(0, 0, 0)",
        "dotenv": "from dotenv.main import load_dotenv",
    }.items()
]
MAIN_IS_HIDDEN = Case(
    {"main.py": APP.format("", "'mine'"), "main/__init__.py": "app = None\n"},
    "The folder main/ hides main.py, since Python imports it first, and has no variable named app",
)
OWN_MISTAKE = served("helper", "import helper\nhelper.nothing", "'mine'", says="no attribute")
CASES = {
    f"task_0_{number}": case
    for number, case in enumerate(
        [*WINS, *UNUSED, *LOSES, *BESIDE_A_SCRIPT, *HIDING, MAIN_IS_HIDDEN, OWN_MISTAKE]
    )
}


@pytest.mark.parametrize("forks", ["1", "0"], ids=["forked", "fresh"])
def test_modules_of_a_submission(forks: str, tmp_path: Path) -> None:
    """They win over what uvicorn, or Python, has not loaded; what hides another is named."""
    course = Course(tmp_path / "course")
    course.preload("fastapi", "numpy", "uvicorn")
    for task, case in CASES.items():
        course.task(task, case.checks, case.files)
    result = course.run(LAB_FORK=forks)
    messages = {name.split()[0]: message for name, message in result.messages.items()}
    failing = {task: case for task, case in CASES.items() if case.says}
    assert messages.keys() == failing.keys()
    assert {
        task: case.says for task, case in failing.items() if case.says not in messages[task]
    } == {}
    assert [task for task, message in messages.items() if "hides" in message] == [
        task for task, case in failing.items() if "hides" in case.says
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("file", ["main.py", "helper.py"])
def test_a_source_in_another_encoding_is_named(file: str, encoding: str, apps: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> tuple[str, str]:
        task.files.write("main.py", "import helper\n")
        task.files.write("helper.py", "")
        (task.files.folder / file).write_bytes("caf\u00e9 = 'caf\u00e9'\n".encode(encoding))
        with pytest.raises(StartFailed) as served:
            async with task.serve():
                pass
        with pytest.raises(Stopped) as ran:
            await task.run()
        return str(served.value), str(ran.value)

    served, ran = apps.play("", scene)
    # Of null bytes, which UTF-16 has, Python says so in its own way until 3.11.3.
    kinds = "SyntaxError" if sys.version_info >= (3, 11, 4) else "(SyntaxError|ValueError)"
    told = f"{file} is not in UTF-8 (or what its first lines say); save it as UTF-8"
    assert re.match(rf"Importing main\.py failed: {kinds}: {re.escape(told)}", served)
    assert re.match(rf"main\.py stopped with {kinds}: {re.escape(told)}", ran)
