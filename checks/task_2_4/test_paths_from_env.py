"""Checks of task 2.4: where the paths of the models come from."""

import io
import re

from dotenv import dotenv_values

from checks.support.http import expect, expect_json, json_body, json_field
from checks.support.predictions import MODELS
from checks.support.startup import (
    expect_loaded,
    expect_loaded_once,
    expect_no_start,
    joined,
    loaded_models,
)
from ml_api_lab.check import Task, points

VARIABLES = ("LOGISTIC_MODEL", "RF_MODEL")


@points(
    2,
    hint="Is .env beside main.py, in UTF-8, with NAME=value lines? Where do its paths begin? And "
    "does load_dotenv run before the variables are read?",
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
        assert target.endswith(f"{model}.pkl"), (
            f"In .env, {variable} leads to {target}; right is {model}.pkl."
        )
    async with task.serve():
        expect_loaded(task)


@points(2, hint="When does load_dotenv run, and when are the two variables read?")
async def test_paths_come_from_the_env_file(task: Task) -> None:
    """The models are loaded from the paths that .env names, relative or absolute."""
    files = {"LOGISTIC_MODEL": "elsewhere/first.pkl", "RF_MODEL": "elsewhere/second.pkl"}
    _place_models(task, files)
    absolute = str(task.files.path(files["RF_MODEL"]))
    # As python-dotenv reads it: quotes and comments are none of the value.
    task.files.write(
        ".env",
        f'export LOGISTIC_MODEL="{files["LOGISTIC_MODEL"]}"  # relative\nRF_MODEL={absolute}\n',
    )
    async with task.serve():
        _expect_models_from(task, files, "in .env")


@points(2, hint="What does load_dotenv do with a variable that is set already?")
async def test_process_wins_over_the_env_file(task: Task) -> None:
    """A variable that is set in the process wins over .env."""
    in_file = {"LOGISTIC_MODEL": "of_file/first.pkl", "RF_MODEL": "of_file/second.pkl"}
    in_process = {"LOGISTIC_MODEL": "of_process/first.pkl", "RF_MODEL": "of_process/second.pkl"}
    _place_models(task, in_file)
    _place_models(task, in_process)
    task.write_env(**in_file)
    async with task.serve(env=in_process):
        _expect_models_from(task, in_process, "in the process (and to another file in .env)")
    for variable in VARIABLES:
        alone = {variable: f"alone/{variable}.pkl"}
        _place_models(task, alone)
        async with task.serve(env=alone):
            _expect_models_from(task, alone, "in the process, alone (and to another file in .env)")


@points(3, hint="What is the value of a variable that is set to nothing, and is it true or false?")
async def test_unset_or_empty_variable_stops_the_start(task: Task) -> None:
    """With a variable unset or empty, or its file gone, the application does not start."""
    right = dict(zip(VARIABLES, (f"../task_2_1/{name}.pkl" for name in MODELS), strict=True))
    for variable in VARIABLES:
        others = {name: path for name, path in right.items() if name != variable}
        task.write_env(**others)
        await expect_no_start(task, variable, because=f"With {variable} unset")
        task.write_env(**others, **{variable: ""})
        await expect_no_start(task, variable, because=f"With {variable} empty")
        task.write_env(**right)
        await expect_no_start(
            task, variable, because=f"With {variable} empty in the process", env={variable: ""}
        )
        task.write_env(**others, **{variable: "elsewhere/gone.pkl"})
        because = f"With {variable}=elsewhere/gone.pkl, a file that is not there"
        await expect_no_start(task, "gone.pkl", variable, because=because)


@points(1, hint="Which endpoints did task 2.3 have?")
async def test_endpoints_carry_over(task: Task) -> None:
    """With models from the paths of .env, loaded once at the start, all answers as before."""
    paths = {"LOGISTIC_MODEL": "first.pkl", "RF_MODEL": "second.pkl"}
    _place_models(task, paths)
    task.write_env(**paths)
    await task.load()
    assert not loaded_models(task), (
        f"Importing main.py loaded {joined(loaded_models(task))}; right is at the start, as in "
        "task 2.2."
    )
    async with task.serve(started=False) as client:
        early = await client.get("/models")
        listed_early = [name for name in MODELS if early.status_code == 200 and name in early.text]
        assert not listed_early, (
            f"Asked before the start, GET /models answered {early.text}; "
            "right is a list of what is loaded, so far of nothing."
        )
    async with task.serve() as client:
        expect_json(await client.get("/health"), {"status": "healthy"})
        expect_json(await client.get("/"), {"message": "Hello World"})
        answer = await client.get("/models")
        expect(answer, 200)
        names = json_field(answer, "available_models")
        assert isinstance(names, list) and sorted(map(str, names)) == sorted(MODELS), (
            f"GET /models answered {json_body(answer)}; right are {joined(list(MODELS))}."
        )
        expect_loaded_once(task)


def _place_models(task: Task, files: dict[str, str]) -> None:
    """Lay a model in each file, one that is known by that file."""
    for file in files.values():
        task.models.place_as(file, file)


def _expect_models_from(task: Task, files: dict[str, str], where: str) -> None:
    read = loaded_models(task)
    for variable, file in files.items():
        assert file in read, (
            f"{variable} leads to {file} {where}, but the application has loaded "
            f"{joined(read) or 'nothing'}; right is the model in that file."
        )
