"""Checks of task 3.3: what is refused, what is predicted, and what the API tells of it."""

from __future__ import annotations

import asyncio

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
from checks.task_3_3.schema import body_schema
from ml_api_lab.check import Hinted, Task, points, seconds, took

DEFAULTS = dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))


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
            expect_unprocessable(response, *wrong, because=f"{' and '.join(wrong)} are wrong")


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
                assert took(response) == seconds(0), (
                    f"{request_line(response)} with {wrong} = {value!r} was refused after "
                    f"{took(response)}; right is at once."
                )
            assert refused, (
                f"POST /predict/{model} refuses neither 0 nor -7, 10, 'abc' or null; right is that "
                "all of them are refused at once."
            )
        before = len(task.models.calls)
        unknown = await predict(client, "no_such_model", DEFAULTS)
        expect(unknown, 404, 422, because="there is no such model")
        assert took(unknown) == seconds(0), (
            f"{request_line(unknown)} was refused after {took(unknown)}; right is at once, "
            "because there is no such model."
        )
        requests += task.models.calls[before:]
    assert not requests, (
        f"The model {requests[0].model} was asked for the prediction of a request that was "
        "refused; right is that it never hears of one."
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
                assert field and has_another, (
                    f"/openapi.json says of {name} {field or 'nothing'}; "
                    f"right is that it shows {right}, as {key}."
                )


@points(1, hint="What else can you tell Field about a field, and where does /docs show it?")
async def test_docs_show_descriptions_and_defaults(task: Task) -> None:
    """/openapi.json shows a description and the default of each feature."""
    async with task.serve() as client:
        fields = await body_schema(client)
        # What really stands in for a feature that is left out is what another check asks.
        used = {name: await _default_is_used(task, client, name) for name in FEATURES}
    for name, default in DEFAULTS.items():
        field = fields.get(name, {})
        assert not used[name] or _as_number(field.get("default")) == default, (
            f"/openapi.json says of {name} {field or 'nothing'}; right is the default {default}."
        )
        assert str(field.get("description") or "").strip(), (
            f"/openapi.json says of {name} {field}; right is that it has a description."
        )


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
    for (name, value), response in zip(cases, answers, strict=True):
        if response.status_code not in statuses[name] and (name, value) not in unlimited:
            expect_unprocessable(response, because=f"{name} is {values[value]}")


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
            for response in answers:
                assert response.status_code == 200, (
                    f"{request_line(response)} with {response.request.content.decode()} answered "
                    f"{response.status_code}{body_excerpt(response)}; right is 200, because "
                    "nothing in it is out of its limits, and what it leaves out has a default."
                )
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
