"""Import main.py, and print what reads .env and the two variables, in order, as one line of JSON.

This program runs in the workspace, with the submission: its line tells why a check has failed, and
never whether it has.
"""

import importlib
import json
import os
import sys
from typing import Any

import dotenv

MARK = ""
VARIABLES = ("LOGISTIC_MODEL", "RF_MODEL")

steps: list[str] = []
calls_of_dotenv = 0


def note(step: str) -> None:
    if not calls_of_dotenv and step not in steps:
        steps.append(step)


def watch_dotenv(name: str) -> None:
    call: Any = getattr(dotenv, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        global calls_of_dotenv
        note(name)
        calls_of_dotenv += 1
        try:
            return call(*arguments, **options)
        finally:
            calls_of_dotenv -= 1

    setattr(dotenv, name, watched)
    setattr(dotenv.main, name, watched)


def watch_variables() -> None:
    environment: Any = type(os.environ)
    read = environment.__getitem__

    def watched(self: Any, name: str) -> Any:
        if name in VARIABLES:
            note("read")
        return read(self, name)

    environment.__getitem__ = watched


def note_open(event: str, arguments: Any) -> None:
    if event == "open" and os.path.basename(str(arguments[0])) == ".env":
        note("open")


for each in ("load_dotenv", "dotenv_values"):
    watch_dotenv(each)
watch_variables()
sys.addaudithook(note_open)
try:
    importlib.import_module("main")
finally:
    print(MARK + json.dumps({"steps": steps}), flush=True)
