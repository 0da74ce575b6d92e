"""Checks of task 2.4: where the paths of the models come from."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from checks.support.application import expect_as_before, expect_endpoint
from checks.support.http import expect, json_field
from checks.support.predictions import MODELS
from checks.support.startup import (
    expect_loaded_once,
    expect_no_start,
    loaded_models,
    wrong_list,
)
from checks.support.wording import joined
from checks.task_2_4.env_reading import why_unread
from ml_api_lab.check import Hinted, StartFailed, SubmissionFault, Task, points

if TYPE_CHECKING:
    import httpx

VARIABLES = ("LOGISTIC_MODEL", "RF_MODEL")
ELSEWHERE = {"LOGISTIC_MODEL": "elsewhere/first.pkl", "RF_MODEL": "elsewhere/second.pkl"}
IN_FILE = "in .env"


@points(2, hint="Is .env beside main.py, in UTF-8, with two NAME=value lines?")
async def test_own_env_file_leads_to_the_models(task: Task) -> None:
    """The submission's own .env has both lines, and they lead to the models of task 2.1."""
    lines = task.files.text(".env")
    values = dotenv_values(stream=io.StringIO(lines))
    faults = [
        fault
        for variable, model in zip(VARIABLES, MODELS, strict=True)
        if (fault := _fault_of_line(task, variable, model, lines, values.get(variable)))
    ]
    if not faults:
        return
    sentence, hint = faults[0]
    if [each[1] for each in faults] == [hint, hint]:
        sentence += f" {VARIABLES[1]} is wrong in the same way."
    raise Hinted(sentence, hint)


def _fault_of_line(
    task: Task, variable: str, model: str, lines: str, target: str | None
) -> tuple[str, str] | None:
    """Return what is wrong with that variable in .env, and what to ask; None if it is right."""
    line = re.search(rf"^[^\S\n]*(?:export\s+)?{variable}[^\S\n]*=(.+)$", lines, re.MULTILINE)
    if line is None:
        return (
            f"The file .env has no line {variable}=...; right are both {joined(list(VARIABLES))}.",
            "Does .env have this name, letter by letter, at the beginning of a line?",
        )
    path = line[1].strip().strip("\"'")
    if re.match(r"/|\\|[A-Za-z]:", path):
        return (
            f"In .env, {variable} is the absolute path {path}, which is right on one machine only; "
            "a relative one leads to the models of task 2.1 on every machine.",
            "Which path leads from the folder of this .env to the folder of task 2.1?",
        )
    if not target:
        return (
            f"In .env, {variable} is empty (its last line counts); right is {model}.pkl.",
            "What stands behind the equals sign?",
        )
    if not target.endswith(f"{model}.pkl"):
        return (
            f"In .env, {variable} leads to {target}; right is {model}.pkl.",
            "Which of the two variables is for which of the two files?",
        )
    # Whether the application goes there is another check's question.
    if not os.path.isfile(task.files.path(target)):
        return (
            f"In .env, {variable} leads to {target}, where no file is; right is the path from this "
            "folder to the model of task 2.1.",
            "In which folder does that path begin, and which folder does it lead to?",
        )
    return None


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
            loaded = loaded_models(task)
        _expect_models_from(files, IN_FILE, loaded)
    except StartFailed as failed:
        if failed.is_slip:
            raise
        if failed.kind != "FileNotFoundError" or ".pkl" not in failed.text:
            raise await why_unread(task, str(failed), ELSEWHERE) from None
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
        loaded = loaded_models(task)[before:]
    try:
        where = "in the process (and to another file in .env)"
        _expect_models_from(in_process, where, loaded)
    except AssertionError as failed:
        task.files.remove(".env")
        if await _leads_there(task, in_process, env=in_process):
            raise Hinted(
                f"{failed} Without .env, the process's variables counted.",
                "What does load_dotenv do with a variable that is set already, and what with "
                "override=True?",
            ) from None
        raise Hinted(
            f"{failed} Without .env, they did not count either.",
            "Does your program read the variables of the process, or nothing but the file?",
        ) from None
    if not await _leads_there(task, in_file, env={}):
        return  # where the file is not read at all, another check says so
    for variable in used:
        alone = {variable: f"alone/{variable}.pkl"}
        _place_models(task, alone)
        before = len(loaded_models(task))
        async with task.serve(env=alone):
            loaded = loaded_models(task)[before:]
        try:
            where = "in the process, alone (and to another file in .env)"
            _expect_models_from(alone, where, loaded)
        except AssertionError as failed:
            if len(used) == 1:
                raise
            raise Hinted(
                f"{failed} With both variables set in the process, both counted.",
                "What does your program do otherwise where the process sets only one of the two?",
            ) from None


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
            hint="Where the variable is not there, does your program stop, take a default, or do "
            "without this model?",
            hint_if_unnamed="What does your code read where the variable is not there, and who "
            "asks for that before it is used?",
        )
        task.write_env(**others, **{variable: ""})
        await _expect_no_start(
            task,
            variable,
            because=f"With {variable} empty",
            env=others,
            hint_if_unnamed="Is an empty text refused where the variable is read, or is it used as "
            "a path?",
        )
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
    await expect_as_before(task, answers[0], {"status": "healthy"}, paths)
    await expect_as_before(task, answers[1], {"message": "Hello World"}, paths)
    await expect_endpoint(task, answers[2], paths)
    expect(answers[2], 200)
    names = json_field(answers[2], "available_models")
    if not isinstance(names, list) or sorted(map(str, names)) != sorted(MODELS):
        raise await wrong_list(task, answers[2], paths)


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
    task: Task,
    *names: str,
    because: str,
    env: dict[str, str],
    hint: str = "",
    hint_if_unnamed: str = "",
) -> None:
    await expect_no_start(
        task,
        *names,
        because=because,
        env=env,
        hint=hint,
        hint_if_unnamed=hint_if_unnamed,
        loaded_before=len(loaded_models(task)),
    )


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
        _expect_models_from(files, IN_FILE, read)
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


def _expect_models_from(files: dict[str, str], where: str, read: list[str]) -> None:
    """Assert that these files are among those that were loaded."""
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
