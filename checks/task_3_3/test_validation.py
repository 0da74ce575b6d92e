"""Checks of task 3.3: what is refused, what is predicted, and what the API tells of it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from checks.support.http import body_excerpt, expect, json_body, request_line
from checks.support.predictions import (
    FEATURES,
    MODELS,
    as_class,
    draw_features,
    expect_model_answer,
    expect_unprocessable,
    features_by_name,
    predict,
)
from checks.support.wording import joined
from checks.task_3_3.refusals import (
    DEFAULTS,
    default_not_used,
    not_all_named,
    not_refused,
    refusal_text,
    refused_late,
)
from checks.task_3_3.schema import body_schema
from ml_api_lab.check import Hinted, Task, points, seconds, took

NO_FIELDS = "What does predict take in its signature? /docs shows the fields of what stands there."


@points(1, hint="Is 0 itself allowed? Which of the two, ge or gt, says so?")
async def test_not_too_small(task: Task) -> None:
    """0 and negative numbers are refused, in each feature."""
    await _expect_each_value_refused(
        task, {-7: "negative", -0.1: "negative", 0: "not more than 0"}, exact=True
    )


@points(1, hint="Is 10 itself allowed? Which of the two, le or lt, says so?")
async def test_not_too_large(task: Task) -> None:
    """10 and larger numbers are refused, in each feature."""
    await _expect_each_value_refused(
        task, {700: "too large", 10.1: "more than 10", 10: "not less than 10"}
    )


@points(1, hint="Which values are no numbers, or numbers that no flower can measure?")
async def test_no_numbers(task: Task) -> None:
    """Words, null, infinity and what is not a number are refused, in each feature."""
    await _expect_each_value_refused(
        task,
        {
            "abc": "not a number",
            None: "not a number",
            "Infinity": "infinite",
            "-Infinity": "infinite",
            "NaN": "not a number",
        },
    )


@points(2, hint="Who looks at all fields before anyone answers: your code, or pydantic?")
async def test_all_bad_features_are_named(task: Task) -> None:
    """Several wrong features are all named in one answer."""
    async with task.serve() as client:
        bad = await _refused_values(task, client, [0, -7, 10, "abc", None])
        values = {name: task.draw.sample(bad[name], len(bad[name])) for name in FEATURES}
        for name, refused in values.items():
            assert refused, (
                f"Of {name} neither 0 nor -7, 10, 'abc' or null is refused with 422; right is that "
                "all of them are."
            )
        all_wrong = [
            (FEATURES, [values[n][(turn + at) % len(values[n])] for at, n in enumerate(FEATURES)])
            for turn in range(max(map(len, values.values())))
        ]
        some_wrong = []
        for number in (2, 3):
            names = task.draw.sample(FEATURES, number)
            some_wrong.append((names, [task.draw.choice(values[name]) for name in names]))
        for wrong, sent in (*some_wrong, *all_wrong):
            response = await predict(
                client, task.draw.choice(MODELS), DEFAULTS | dict(zip(wrong, sent, strict=True))
            )
            try:
                expect_unprocessable(response, *wrong, because=f"{' and '.join(wrong)} are wrong")
            except Hinted:
                raise
            except AssertionError:
                if response.status_code != 422:
                    raise
                features = dict(zip(wrong, sent, strict=True))
                raise await not_all_named(client, response, features) from None


async def _refused_values(
    task: Task, client: httpx.AsyncClient, values: list[object]
) -> dict[str, list[object]]:
    """Return the values that each feature refuses with a 422 where all others are right.

    That all of them are refused is what other checks ask.
    """
    cases = [(name, value) for name in FEATURES for value in values]
    answers = await asyncio.gather(
        *(predict(client, MODELS[0], {**DEFAULTS, name: value}) for name, value in cases)
    )
    refused: dict[str, list[object]] = {name: [] for name in FEATURES}
    for (name, value), response in zip(cases, answers, strict=True):
        if response.status_code == 422:
            refused[name].append(value)
    return refused


@points(1, hint="At which point does pydantic refuse a body: before your endpoint, or in it?")
async def test_refused_at_once(task: Task) -> None:
    """A refused request does not wait and never reaches the model."""
    async with task.serve() as client:
        requests = []
        for model in MODELS:
            refused = 0
            for value in (0, -7, 10, "abc", None):
                wrong = task.draw.choice(FEATURES)
                # A model may have been tried out when the application started.
                before = len(task.models.calls)
                response = await predict(client, model, {**DEFAULTS, wrong: value})
                if not 400 <= response.status_code < 500:
                    continue  # other checks ask whether it is refused
                refused += 1
                requests += task.models.calls[before:]
                if took(response) != seconds(0):
                    raise await refused_late(
                        client,
                        response,
                        f"{request_line(response)} with {wrong} = {value!r} was refused after "
                        f"{took(response)}; right is at once.",
                    )
            assert refused, (
                f"POST /predict/{model} refuses neither 0 nor -7, 10, 'abc' or null; right is that "
                "all of them are refused at once."
            )
        before = len(task.models.calls)
        unknown = await predict(client, "no_such_model", DEFAULTS)
        expect(unknown, 404, 422, because="there is no such model")
        if took(unknown) != seconds(0):
            raise Hinted(
                f"{request_line(unknown)} was refused after {took(unknown)}; right is at once, "
                "because there is no such model.",
                "What does your code do first: wait, or look whether there is such a model?",
            )
        requests += task.models.calls[before:]
    if requests:
        raise Hinted(
            f"The model {requests[0].model} was asked for the prediction of a request that was "
            "refused; right is that it never hears of one.",
            "Which comes first in your code: to ask the model, or to look at the features?",
        )


@points(1, hint="Which numbers lie between the limits, and are all of them let through?")
async def test_what_is_within_the_limits_is_predicted(task: Task) -> None:
    """Any number between 0 and 10 is predicted, in each feature."""
    bodies = [
        {**features_by_name(draw_features(task)), name: value}
        for name in FEATURES
        for value in (0.001, 1, 9, 9.999)
    ]
    await _expect_predictions(task, [(body, body) for body in bodies], exact=True)


@points(1, hint="What does a field of a pydantic model hold if the request leaves it out?")
async def test_defaults_fill_in(task: Task) -> None:
    """What a request leaves out has its default; {} is all defaults."""
    requests: list[tuple[dict[str, float], dict[str, float]]] = [({}, DEFAULTS)]
    for left_out in FEATURES:
        for _ in range(4):
            body = _whole_numbers(task)
            del body[left_out]
            requests.append((body, {**DEFAULTS, **body}))
    for number in (1, 2):
        for _ in range(4):
            body = _whole_numbers(task)
            body = {name: body[name] for name in task.draw.sample(FEATURES, number)}
            requests.append((body, {**DEFAULTS, **body}))
    await _expect_predictions(task, requests)


@points(1, hint="Where in /docs does the schema show a limit? And one that your own code checks?")
async def test_docs_show_the_limits(task: Task) -> None:
    """/openapi.json shows both limits of each feature."""
    async with task.serve() as client:
        fields = await body_schema(client)
        for name in FEATURES:
            field = fields.get(name, {})
            for key, short, limit, right in (
                ("exclusiveMinimum", "gt", 0, "more than 0"),
                ("exclusiveMaximum", "lt", 10, "less than 10"),
            ):
                # Of a union of number types pydantic tells the limits under its own short names.
                if _as_number(field.get(key, field.get(short))) == limit:
                    continue
                # Whether there is such a limit, and no narrower one, is what other checks ask.
                just_within = 0.001 if limit == 0 else 9.999
                at_limit = await predict(client, MODELS[0], {**DEFAULTS, name: limit})
                within = await predict(client, MODELS[0], {**DEFAULTS, name: just_within})
                has_another = at_limit.status_code == 200 or within.status_code == 422
                sentence = (
                    f"/openapi.json says of {name} {field or 'nothing'}; "
                    f"right is that it shows {right}, as {key}."
                )
                if not fields:
                    raise Hinted(sentence, NO_FIELDS)
                assert field and has_another, sentence


@points(1, hint="What else can you tell Field about a field, and where does /docs show it?")
async def test_docs_show_descriptions_and_defaults(task: Task) -> None:
    """/openapi.json shows a description and the default of each feature."""
    async with task.serve() as client:
        fields = await body_schema(client)
        # What really stands in for a feature that is left out is what another check asks.
        used = {name: await _default_is_used(task, client, name) for name in FEATURES}
    for name, default in DEFAULTS.items():
        field = fields.get(name, {})
        if used[name] and _as_number(field.get("default")) != default:
            sentence = (
                f"/openapi.json says of {name} {field or 'nothing'}; right is the default "
                f"{default}."
            )
            raise Hinted(
                f"{sentence} A request without {name} gets it.",
                "In which form does your code have this default? /docs shows one that stands "
                "there as a number.",
            )
        if not _description(field):
            others = [n for n in FEATURES if n != name and not _description(fields.get(n, {}))]
            raise Hinted(
                f"/openapi.json says of {name} {field}; right is that it has a description."
                f"{f' There is none of {joined(others)} either.' if others else ''}",
                "Its description is there. Which words does it have?"
                if "description" in field
                else "What else can you tell Field about a field, and where does /docs show it?",
            )


def _description(field: dict[str, Any]) -> str:
    return str(field.get("description") or "").strip()


async def _default_is_used(task: Task, client: httpx.AsyncClient, name: str) -> bool:
    """Whether the right default of a feature reaches the model where the request leaves it out."""
    body = {each: value for each, value in DEFAULTS.items() if each != name}
    before = len(task.models.calls)
    response = await predict(client, MODELS[0], body)
    rows = [row for call in task.models.calls[before:] for row in call.rows]
    right = list(DEFAULTS.values())
    return response.status_code == 200 and all(
        [round(each, 3) for each in row] == right for row in rows
    )


async def _expect_each_value_refused(
    task: Task, values: dict[object, str], *, exact: bool = False
) -> None:
    """Assert that each value is refused in each feature; in which words is another check's.

    Args:
        exact: whether the status has to be 422. One check asks for that; for the others an
            application that answers 400 to a negative number may answer 400.
    """
    cases = [(name, value) for name in FEATURES for value in values]
    async with task.serve() as client:
        statuses = {name: {422} for name in FEATURES}
        unlimited: set[tuple[str, object]] = set()
        for name in FEATURES if not exact else ():
            for far_out, infinite in ((-7, "-Infinity"), (700, "Infinity")):
                probe = await predict(client, MODELS[0], {**DEFAULTS, name: far_out})
                if far_out == -7:
                    statuses[name] |= {probe.status_code} & {400}
                if probe.status_code == 200:
                    unlimited.add((name, infinite))  # the limit is what another check asks for
        answers = await asyncio.gather(
            *(
                predict(client, task.draw.choice(MODELS), {**DEFAULTS, name: value})
                for name, value in cases
            )
        )
        answered = dict(zip(cases, answers, strict=True))
        for (name, value), response in answered.items():
            if response.status_code in statuses[name] or (name, value) in unlimited:
                continue
            try:
                expect_unprocessable(response, because=f"{name} is {values[value]}")
            except Hinted:
                raise
            except AssertionError as error:
                if 400 <= response.status_code < 500:
                    raise Hinted(
                        str(error),
                        "Your own code answers this. With which status does FastAPI answer what "
                        "pydantic refuses?",
                    ) from None
                accepted = {
                    feature: [
                        v for v in values if answered[feature, v].status_code not in range(400, 500)
                    ]
                    for feature in FEATURES
                }
                refused = [v for v in values if answered[name, v].status_code == 422]
                raise await not_refused(
                    task, client, str(error), name, value, accepted, refused
                ) from None


async def _expect_predictions(
    task: Task,
    requests: list[tuple[dict[str, float], dict[str, float]]],
    *,
    exact: bool = False,
) -> None:
    """Assert that both models are given these features for these bodies."""
    async with task.serve() as client:
        for model in MODELS:
            answers: list[httpx.Response] = await asyncio.gather(
                *(predict(client, model, body) for body, _ in requests)
            )
            for response, (body, _) in zip(answers, requests, strict=True):
                if response.status_code == 200:
                    continue
                left_out = [name for name in FEATURES if name not in body]
                sentence = (
                    f"{request_line(response)} with {response.request.content.decode()} answered "
                    f"{response.status_code}{refusal_text(response)}; right is 200, because "
                    "nothing in it is out of its limits"
                    f"{', and what it leaves out has a default' if left_out else ''}."
                )
                if left_out:
                    raise await default_not_used(client, response, sentence, left_out)
                raise AssertionError(sentence)
            wrong = {
                name: DEFAULTS[name]
                for response, (body, expected) in zip(answers, requests, strict=True)
                if len(left_out := [name for name in FEATURES if name not in body]) == 1
                and not _is_class(response, task.models.answer(model, list(expected.values())))
                for name in left_out
            }
            for response, (body, expected) in zip(answers, requests, strict=True):
                features = [expected[name] for name in FEATURES]
                right = task.models.answer(model, features)
                if len(body) < len(FEATURES) and wrong and not _is_class(response, right):
                    names = " and ".join(f"{name} = {default}" for name, default in wrong.items())
                    raise Hinted(
                        f"{request_line(response)} with {response.request.content.decode()} "
                        f"answered {body_excerpt(response).strip()}; the model {model} itself says "
                        f"{right}, with {names} where a request leaves it out.",
                        f"Which default does your code have for {' and for '.join(wrong)}?",
                    )
                expect_model_answer(task, response, model, features, exact=exact)


def _is_class(response: httpx.Response, right: int) -> bool:
    """Whether the answer's prediction is that class, in whatever shape."""
    content = json_body(response)
    return isinstance(content, dict) and as_class(content.get("prediction")) == right


def _whole_numbers(task: Task) -> dict[str, float]:
    """Draw a flower that no limit near 0 or 10 refuses, and no rule about decimals."""
    return features_by_name(task.draw.sample(range(1, 7), len(FEATURES)))


def _as_number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
