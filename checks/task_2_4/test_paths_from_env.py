"""Checks of task 2.4: where the paths of the models come from."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from checks.support.http import expect, expect_json, json_body, json_field
from checks.support.predictions import MODELS
from checks.support.startup import (
    expect_loaded_once,
    expect_no_start,
    joined,
    loaded_models,
)
from ml_api_lab.check import Hinted, StartFailed, SubmissionFault, Task, points

if TYPE_CHECKING:
    import httpx

VARIABLES = ("LOGISTIC_MODEL", "RF_MODEL")
ELSEWHERE = {"LOGISTIC_MODEL": "elsewhere/first.pkl", "RF_MODEL": "elsewhere/second.pkl"}
IN_FILE = "in .env"


@points(
    2,
    hint="Is .env beside main.py, in UTF-8, with NAME=value lines? Where do its paths begin?",
)
async def test_own_env_file_leads_to_the_models(task: Task) -> None:
    """The submission's own .env has both lines, and they lead to the models of task 2.1."""
    lines = task.files.text(".env")
    values = dotenv_values(stream=io.StringIO(lines))
    for variable, model in zip(VARIABLES, MODELS, strict=True):
        line = re.search(rf"^[^\S\n]*(?:export\s+)?{variable}[^\S\n]*=(.+)$", lines, re.MULTILINE)
        assert line is not None, (
            f"The file .env has no line {variable}=...; right are both {joined(list(VARIABLES))}."
        )
        path = line[1].strip().strip("\"'")
        assert not re.match(r"/|\\|[A-Za-z]:", path), (
            f"In .env, {variable} is the absolute path {path}, which is right on one machine only; "
            "a relative one leads to the models of task 2.1 on every machine."
        )
        target = values.get(variable)
        assert target, f"In .env, {variable} is empty (its last line counts); right is {model}.pkl."
        if not target.endswith(f"{model}.pkl"):
            raise Hinted(
                f"In .env, {variable} leads to {target}; right is {model}.pkl.",
                "Which of the two variables is for which of the two files?",
            )
        # Whether the application goes there is another check's question.
        assert os.path.isfile(task.files.path(target)), (
            f"In .env, {variable} leads to {target}, where no file is; right is the path from this "
            "folder to the model of task 2.1."
        )


@points(2, hint="When does load_dotenv run, and when are the two variables read?")
async def test_paths_come_from_the_env_file(task: Task) -> None:
    """The models are loaded from the paths that .env names, relative or absolute."""
    files = ELSEWHERE
    _place_models(task, files, elsewhere=False)
    absolute = str(task.files.path(files["RF_MODEL"]))
    # As python-dotenv reads it: quotes and comments are none of the value.
    task.files.write(
        ".env",
        f'export LOGISTIC_MODEL="{files["LOGISTIC_MODEL"]}"  # relative\nRF_MODEL={absolute}\n',
    )
    try:
        async with task.serve():
            _expect_models_from(task, files, IN_FILE)
    except StartFailed as failed:
        if failed.kind != "FileNotFoundError" or ".pkl" not in failed.text:
            raise
        told = " and ".join((files["LOGISTIC_MODEL"], "the absolute path of the other file"))
        raise Hinted(
            str(failed), f"The file .env says {told}. What has your code put before one of them?"
        ) from None


@points(2, hint="What does load_dotenv do with a variable that is set already?")
async def test_process_wins_over_the_env_file(task: Task) -> None:
    """A variable that is set in the process wins over .env."""
    used = await _variables_in_use(task)
    names = {"LOGISTIC_MODEL": "first.pkl", "RF_MODEL": "second.pkl"}
    in_file = {variable: f"of_file/{names[variable]}" for variable in used}
    in_process = {variable: f"of_process/{names[variable]}" for variable in used}
    _place_models(task, in_file)
    _place_models(task, in_process)
    task.write_env(**in_file)
    before = len(loaded_models(task))
    async with task.serve(env=in_process):
        where = "in the process (and to another file in .env)"
        _expect_models_from(task, in_process, where, before)
    if not await _leads_there(task, in_file, env={}):
        return  # where the file is not read at all, another check says so
    for variable in used:
        alone = {variable: f"alone/{variable}.pkl"}
        _place_models(task, alone)
        before = len(loaded_models(task))
        async with task.serve(env=alone):
            where = "in the process, alone (and to another file in .env)"
            _expect_models_from(task, alone, where, before)


@points(2, hint="What is the value of a variable that is set to nothing, and is it true or false?")
async def test_unset_or_empty_variable_stops_the_start(task: Task) -> None:
    """With a variable unset or empty, or its file gone, the application does not start."""
    used = await _variables_in_use(task)
    right = {name: f"right/{name}.pkl" for name in VARIABLES}
    _place_models(task, right)
    # That the process wins is another check's question.
    wrong = {name: f"wrong/{name}.pkl" for name in VARIABLES}
    _place_models(task, wrong)
    task.write_env(**wrong)
    wins = await _leads_there(task, {name: right[name] for name in used}, env=right)
    for variable in used:
        # The process has the others as well, so that it does not matter who reads the file.
        others = {name: path for name, path in right.items() if name != variable}
        task.write_env(**others)
        await _expect_no_start(
            task,
            variable,
            because=f"With {variable} unset",
            env=others,
            hint="What does your code take where the variable is not there, and who stops then?",
        )
        task.write_env(**others, **{variable: ""})
        await _expect_no_start(task, variable, because=f"With {variable} empty", env=others)
        if wins:
            task.write_env(**right)
            because = f"With {variable} empty in the process"
            await _expect_no_start(
                task,
                variable,
                because=because,
                env={**others, variable: ""},
                hint="Which counts for your code here: the empty text, or the line in .env?",
            )
        gone = {**others, variable: "elsewhere/gone.pkl"}
        task.write_env(**gone)
        because = f"With {variable}=elsewhere/gone.pkl, a file that is not there"
        await _expect_no_start(
            task,
            "gone.pkl",
            variable,
            because=because,
            env=gone,
            hint="Who catches the error of a file that is not there, and goes on?",
        )


@points(2, hint="Which endpoints did task 2.3 have?")
async def test_endpoints_carry_over(task: Task) -> None:
    """With models from the paths of .env, loaded once at the start, all answers as before."""
    paths = {"LOGISTIC_MODEL": "first.pkl", "RF_MODEL": "second.pkl"}
    _place_models(task, paths)
    task.write_env(**paths)
    # In the process as well: that .env is read is another check's question.
    await task.load(env=paths)
    if loaded_models(task):
        raise Hinted(
            f"Importing main.py loaded {joined(loaded_models(task))}; right is at the start, as in "
            "task 2.2.",
            "Which function loads the models, and when does FastAPI run it?",
        )
    async with task.serve(env=paths, started=False) as client:
        early = await client.get("/models")
        listed_early = [name for name in MODELS if early.status_code == 200 and name in early.text]
        if listed_early:
            raise Hinted(
                f"Asked before the start, GET /models answered {early.text}; "
                "right is a list of what is loaded, so far of nothing.",
                "Is your list made of the models that are loaded, or of names in the code?",
            )
    before = len(loaded_models(task))
    async with task.serve(env=paths) as client:
        at_start = loaded_models(task)[before:]
        answers = [await client.get("/health")]
        _expect_no_further_load(task, at_start, before, answers[-1])
        answers.append(await client.get("/"))
        _expect_no_further_load(task, at_start, before, answers[-1])
        answers.append(await client.get("/models"))
        _expect_no_further_load(task, at_start, before, answers[-1])
    expect_json(answers[0], {"status": "healthy"})
    expect_json(answers[1], {"message": "Hello World"})
    expect(answers[2], 200)
    names = json_field(answers[2], "available_models")
    if not isinstance(names, list) or sorted(map(str, names)) != sorted(MODELS):
        raise Hinted(
            f"GET /models answered {json_body(answers[2])}; right are {joined(list(MODELS))}.",
            "What does your list hold: the names of the models, or where they come from?",
        )


def _expect_no_further_load(
    task: Task, at_start: list[str], before: int, answer: httpx.Response
) -> None:
    """Assert that the request of that answer has loaded no model again."""
    # One file in the place of another is another check's matter.
    if len(set(at_start)) == len(MODELS) or len(loaded_models(task)) > before + len(at_start):
        expect_loaded_once(task, answer)


def _place_models(task: Task, files: dict[str, str], *, elsewhere: bool = True) -> None:
    """Lay a model in each file, one that is known by that file.

    Args:
        elsewhere: whether to lay it into the folder above as well, for who begins relative paths
            there. One check asks where they begin.
    """
    for file in files.values():
        task.models.place_as(file, file)
        if elsewhere:
            task.models.place_as(f"../{file}", file)


async def _expect_no_start(
    task: Task, *names: str, because: str, env: dict[str, str], hint: str = ""
) -> None:
    loaded = len(loaded_models(task))
    await expect_no_start(task, *names, because=because, env=env, hint=hint, loaded_before=loaded)


async def _variables_in_use(task: Task) -> list[str]:
    """Return the variables whose paths lead to a model, set in the process and in .env alike.

    Assert that one does. That both do, and from the file alone, is one check's question.
    """
    files = ELSEWHERE
    _place_models(task, files)
    task.write_env(**files)
    async with task.serve(env=files):
        read = loaded_models(task)
    used = [name for name, file in files.items() if file in read]
    if not used:
        _expect_models_from(task, files, IN_FILE)
    return used


async def _leads_there(task: Task, files: dict[str, str], env: dict[str, str]) -> bool:
    """Whether the application starts, and loads the models in these files."""
    before = len(loaded_models(task))
    try:
        async with task.serve(env=env):
            return set(files.values()) <= set(loaded_models(task)[before:])
    except SubmissionFault:
        # No news on the card of what comes next.
        task.transcript.raised.clear()
        return False


def _expect_models_from(task: Task, files: dict[str, str], where: str, before: int = 0) -> None:
    """Assert that these files were loaded, after so many loads before."""
    read = loaded_models(task)[before:]
    for variable, file in files.items():
        if file in read:
            continue
        sentence = (
            f"{variable} leads to {file} {where}, but the application has loaded "
            f"{joined(read) or 'nothing'}; right is the model in that file."
        )
        if any(each in read for each in files.values()):
            raise Hinted(sentence, "Which variable does each of the two models have its path from?")
        if where == IN_FILE:
            raise Hinted(sentence, "From where does the line that opens a model have its path?")
        raise AssertionError(sentence)
