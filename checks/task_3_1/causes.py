"""Why a prediction or a refusal is wrong: asked after a failure, for what its sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checks.support.http import request_line, routing_hint
from checks.support.predictions import (
    FEATURES,
    Asked,
    as_class,
    features_by_name,
    predict,
    what_was_asked,
)
from checks.support.probe import unshown
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Task

# What becomes of the classes 0, 1 and 2 where the place of the smallest probability is taken.
_LEAST_LIKELY = [1, 0, 0]


async def answers_to_each_class(
    task: Task, client: httpx.AsyncClient, model: str, flowers: Sequence[Sequence[float]]
) -> list[object]:
    """Return what is answered for these flowers, the first of class 0, as `as_class` reads it."""
    answers: list[object] = []
    with unshown(task):
        for flower in flowers:
            answers.append(prediction_of(await predict(client, model, flower)))
    return answers


def prediction_of(response: httpx.Response) -> object:
    """Return the class that an answer has, None if it has none."""
    try:
        content = response.json()
    except ValueError:
        return None
    return as_class(content.get("prediction")) if isinstance(content, dict) else None


async def asked_of_each_class(
    task: Task, client: httpx.AsyncClient, model: str, asked: Asked
) -> Asked:
    """Return also what becomes of each class that the model says."""
    flowers = task.models.features_of_each_class(model)
    answers = await answers_to_each_class(task, client, model, flowers)
    if not all(type(each) is int for each in answers):
        return asked
    sentence = f"{asked.sentence} {_told(answers)}"
    if answers == _LEAST_LIKELY:
        return Asked(
            sentence,
            "What do you take from the model: the class that predict returns, or the place of one "
            "of its probabilities? Of the largest, or of the smallest?",
        )
    return asked._replace(sentence=sentence)


def _told(answers: Sequence[object]) -> str:
    return f"Where the model says 0, 1 and 2, it answers {', '.join(map(str, answers))}."


async def compared_with_stand_ins(
    task: Task, failed: AssertionError, model: str, flower: list[float], answers: list[object]
) -> Hinted:
    """Return that a trained model is served wrongly, and what a stand-in in its place was asked.

    Args:
        answers: what was answered where the trained model says 0, 1 and 2.
    """
    with unshown(task):
        task.models.place()
        async with task.serve() as client:
            await predict(client, model, flower)
            asked = what_was_asked(task.models.calls[-1:], model, flower)
            with_classes = await asked_of_each_class(task, client, model, asked)
    sentence, hint = asked
    if "these features" in sentence:
        told = _told(answers)
        differs = not with_classes.sentence.endswith(told)
        sentence = f"{sentence} {told}" if differs else with_classes.sentence
        hint = with_classes.hint
    return Hinted(f"{failed} {sentence}", hint)


async def wrong_row(
    task: Task,
    client: httpx.AsyncClient,
    model: str,
    response: httpx.Response,
    rows: list[list[float]],
    flower: Sequence[float],
    right: int,
) -> Hinted:
    """Return that a model was asked with other columns, by the features' names if they show."""
    sent = response.request.content.decode()
    sentence = f"{request_line(response)} with {sent} "
    names = _names(rows, flower)
    answered = f"answered the prediction {prediction_of(response)}"
    order = f"asked with {', '.join(FEATURES)} in this order, the model says {right}."
    if not rows:
        return Hinted(
            f"{sentence}asked no model, and {answered}; {order}",
            what_was_asked((), model, flower).hint,
        )
    if names is None:
        return Hinted(
            f"{sentence}asked the model with {rows}, and {answered}; {order}",
            "What becomes of the numbers on their way from the request's body to the row?",
        )
    sentence += f"asked the model with {', '.join(names)}, and {answered}; {order}"
    if len(set(names)) < len(names):
        return Hinted(sentence, "Which feature stands twice in the row, and which not at all?")
    if await _follows_the_request(task, client, model, names, flower):
        return Hinted(
            f"{sentence} It is the order in which they were sent.",
            "In which order do the values of a JSON object come, and who puts them in a row?",
        )
    return Hinted(
        f"{sentence} It is so in whichever order they are sent.",
        "In which order do the numbers stand in the row that the model gets?",
    )


async def _follows_the_request(
    task: Task,
    client: httpx.AsyncClient,
    model: str,
    names: Sequence[str],
    flower: Sequence[float],
) -> bool:
    """Whether the row changes with the order of the fields in the request."""
    by_name = features_by_name(flower)
    before = len(task.models.calls)
    with unshown(task):
        await predict(client, model, {name: by_name[name] for name in reversed(names)})
    rows = [row for call in task.models.calls[before:] for row in call.rows]
    return _names(rows, flower) == [*reversed(names)]


def _names(rows: list[list[float]], flower: Sequence[float]) -> list[str] | None:
    """Return the features that stand in a row, None if other numbers do or rows differ."""
    by_value = {round(value, 3): name for name, value in features_by_name(flower).items()}
    found = [by_value.get(round(each, 3)) for each in rows[0]] if len(rows) == 1 else [None]
    return [each for each in found if each is not None] if None not in found else None


async def names_served(
    task: Task, client: httpx.AsyncClient, flower: Sequence[float], model: str
) -> str:
    """Return which names are taken for that model, of some that are made of its own."""
    first, _, last = model.partition("_")
    alike = [first, model[2:-2], last, f"my_{model}", f"{model}_2", model.title()]
    with unshown(task):
        served = [name for name in alike if (await predict(client, name, flower)).is_success]
    return f"Of {', '.join(alike)} it serves {', '.join(served) or 'none'}."


def name_hint(response: httpx.Response, name: str, *, is_alike: bool) -> str:
    """Return what to ask of a name that is not refused as it should be, "" for the check's own.

    Args:
        is_alike: whether the name is made of that of a model.
    """
    if routing_hint(response):
        return ""
    if name.startswith("_"):
        return (
            "Where does your code look for a model by its name: in a dict of models, or among "
            "the attributes of an object?"
        )
    if response.is_success and is_alike:
        return "How does your code compare the name in the path with the names of the models?"
    if response.is_success:
        return "What does your code do with a name that it does not know, before it answers?"
    if response.status_code < 500:
        return "Which status do you write into the answer for a name that no model has?"
    return ""
