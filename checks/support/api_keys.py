"""Keys at the door: carrying one, and judging how an application refuses without."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checks.support.guessed_keys import (
    is_plausible_key,
    keys_in_other_files,
    keys_in_source,
    near_misses,
    where_key_is,
)
from checks.support.hints import hinted
from checks.support.http import body_excerpt, expect, json_body, request_line
from checks.support.predictions import MODELS
from checks.support.probe import unshown
from checks.support.source import where_it_stands
from ml_api_lab.check import Hinted, SubmissionFault

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Task

HEADER = "X-API-Key"
NO_KEY = f"the request has no {HEADER}"

_ANY_WRONG_KEY = "any-wrong-key"


def new_key(task: Task) -> str:
    """Draw a key that nothing else contains."""
    return f"key-{task.draw.getrandbits(64):016x}"


def key_header(key: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {HEADER: key}


def model_paths(task: Task) -> dict[str, str]:
    """Return the variables that an application needs besides its key."""
    paths = [f"../task_2_1/{name}.pkl" for name in MODELS]
    return dict(zip(("LOGISTIC_MODEL", "RF_MODEL"), paths, strict=True))


async def shut_door(client: httpx.AsyncClient) -> str:
    """Return the first door that is shut to who has no key (see `shut_doors`)."""
    for door in DOORS:
        if (await knock(client, door)).status_code >= 400:
            return door
    return LIST_DOOR


def key_in_both_places(task: Task, key: str) -> dict[str, str]:
    """Write the key into `.env`; return the environment that holds it as well.

    From where an application reads it, and which place wins, is one check's question.
    """
    task.write_env(**model_paths(task), API_KEY=key)
    return {"API_KEY": key}


LIST_DOOR, PREDICT_DOOR = "/models", f"/predict/{MODELS[0]}"
DOORS = (LIST_DOOR, PREDICT_DOOR)


async def knock(
    client: httpx.AsyncClient, door: str, headers: Mapping[str, str] | Mapping[bytes, bytes] = {}
) -> httpx.Response:
    """Ask for what lies behind one of the two doors, a prediction with the default features."""
    if door == LIST_DOOR:
        return await client.get(door, headers=headers)
    return await client.post(door, json={}, headers=headers)


async def shut_doors(client: httpx.AsyncClient) -> list[str]:
    """Return the doors that are shut to who has no key, both if neither is.

    That both are shut is one check's question. The others knock at one that is.
    """
    shut = [door for door in DOORS if (await knock(client, door)).status_code >= 400]
    return shut or list(DOORS)


async def expect_shut(client: httpx.AsyncClient, door: str) -> None:
    """Assert that a door is shut to who sends no key; say so if it is to who sends a wrong one."""
    answer = await knock(client, door)
    if answer.status_code >= 400:
        return
    sentence = _not_refused(answer, NO_KEY)
    wrong = await knock(client, door, key_header(_ANY_WRONG_KEY))
    if wrong.status_code in (401, 403):
        raise Hinted(
            f"{sentence} With a wrong key it is refused.",
            "What does your code do with a request in which the header is missing?",
        )
    await knock(client, door)  # so that the log ends with the request that the sentence tells of
    # Which code should have refused it is for the check's own hint: a dependency, or a middleware.
    raise AssertionError(f"{sentence} With a wrong key it is not refused either.")


async def expect_wrong_key_refused(client: httpx.AsyncClient, door: str) -> None:
    """Assert that a key that is nothing like the right one is refused, as no key is.

    For a check that has let in another wrong one: why, where that is not its own question.
    """
    await expect_shut(client, door)
    answer = await knock(client, door, key_header(_ANY_WRONG_KEY))
    if answer.is_success:
        raise any_key_opens(answer)


def any_key_opens(answer: httpx.Response) -> Hinted:
    """Return the error of a door that any key opens, in the same words for all checks."""
    return Hinted(
        f"{_not_refused(answer, 'the key is wrong')} Without a key it is refused.",
        "Does your code compare the key that it finds with API_KEY, and how?",
    )


def expect_denied(
    response: httpx.Response,
    because: str,
    *,
    usual: httpx.Response | None = None,
    hint: str = "",
) -> None:
    """Assert that the answer is a 401 or 403 whose JSON has a `detail`.

    Args:
        usual: the refusal of a request without a key, where another check asks for its status: a
            400, say, will do here as well. A 404 and a 422 tell of something else.
        hint: what to ask, in place of the check's own, of another status.
    """
    kind = {usual.status_code} & {*range(400, 500)} - {404, 405, 422} if usual else set()
    if response.status_code not in kind:
        try:
            expect(response, 401, 403, because=because)
        except Hinted:
            raise
        except AssertionError as error:
            raise (Hinted(str(error), hint) if hint else error) from None
    with hinted("Which class of response writes JSON?"):
        content = json_body(response)
    with hinted("Under which key does FastAPI itself tell a reason, that of a 404 for instance?"):
        assert isinstance(content, dict) and content.get("detail"), (
            f"{request_line(response)} answered {content}; right is JSON with a 'detail'."
        )


def expect_granted(response: httpx.Response, because: str) -> None:
    """Assert that the answer is a 200, now that the request carries the right key."""
    if response.status_code in (401, 403):
        sentence = (
            f"{request_line(response)} answered {response.status_code}{body_excerpt(response)}; "
            f"right is 200, because {because}."
        )
        raise Hinted(
            sentence,
            "In which header does your code look for the key, letter by letter, and with what does "
            "it compare what it finds?",
        )
    expect(response, 200, because=because)


def expect_not_served(response: httpx.Response, because: str, hint: str = "") -> None:
    """Assert that the request was not served, in whatever way.

    Args:
        hint: in place of the check's own.
    """
    if response.status_code >= 400:
        return
    sentence = _not_refused(response, because)
    raise Hinted(sentence, hint) if hint else AssertionError(sentence)


def _not_refused(response: httpx.Response, because: str) -> str:
    return (
        f"{request_line(response)} answered {response.status_code}{body_excerpt(response)}; "
        f"right is a refusal, because {because}."
    )


async def expect_key_in_header_only(client: httpx.AsyncClient, key: str) -> None:
    """Assert that the key opens nothing where it stands in place of its header."""
    names = ("api_key", "apikey", "x_api_key", "access_token", "key", "token", HEADER)
    cookies = "; ".join(f"{name}={key}" for name in names)
    basic = base64.b64encode(f"user:{key}".encode()).decode()
    places: list[tuple[str, dict[str, Any]]] = [
        ("the query", {"params": dict.fromkeys((*names, HEADER.lower()), key)}),
        *[
            ("Authorization", {"headers": {"Authorization": value}})
            for value in (f"Bearer {key}", f"ApiKey {key}", f"Token {key}", f"Basic {basic}", key)
        ],
        ("a cookie", {"headers": {"Cookie": cookies}}),
    ]
    elsewhere = f"Where else than in {HEADER} does your code look for a key?"
    for place, sent in places:
        expect_not_served(
            await client.get("/models", **sent), f"{NO_KEY}: a key in {place} is none", elsewhere
        )
    answer = await client.post(f"/predict/{MODELS[0]}", json={}, **places[0][1])
    expect_not_served(answer, f"{NO_KEY}: a key in the query is none", elsewhere)


async def expect_wrong_keys_denied(client: httpx.AsyncClient, task: Task, key: str) -> None:
    """Assert that keys of strange characters, and near misses, are refused like any other."""
    misses = near_misses(key)
    unusual = ["schlüssel", "ключ".encode().decode("latin-1"), "\xff\xfe", f"{key}ü", f"ü{key}"]
    doors = await shut_doors(client)
    usual = await knock(client, doors[0])
    for wrong in (*misses, *unusual):
        headers = {HEADER.encode(): wrong.encode("latin-1")}
        answers = [await knock(client, doors[0], headers)]
        if wrong in unusual:
            answers += [await knock(client, door, headers) for door in doors[1:]]
        for answer in answers:
            try:
                expect_denied(answer, f"'{wrong}' is not the key '{key}'", usual=usual)
            except Hinted:
                raise
            except AssertionError as error:
                if wrong in unusual and answer.status_code >= 500:
                    raise Hinted(
                        str(error),
                        "What does secrets.compare_digest say to text that is not ASCII?",
                    ) from None
                if answer.is_success:
                    await expect_wrong_key_refused(client, doors[0])
                with unshown(task):
                    let_in = await _let_in(client, doors[0], key, [*misses, *unusual])
                raise Hinted(
                    f"{error} {let_in}".rstrip(), "Is the whole key compared, just as it came?"
                ) from None
    found = [each for each in keys_in_source(task) if re.fullmatch(r"[^ /]{4,}", each)]
    for wrong, answer in zip(
        found,
        await asyncio.gather(*(knock(client, doors[0], key_header(each)) for each in found)),
        strict=True,
    ):
        because = f"'{wrong}', which stands in the code, is not the key '{key}'"
        expect_not_served(answer, because, "Which keys does your code take beside API_KEY?")
        expect_denied(answer, because, usual=usual)


async def _let_in(client: httpx.AsyncClient, door: str, key: str, wrong: Sequence[str]) -> str:
    """Return which of these wrong keys get in, as a sentence, "" if none does."""
    answers = await asyncio.gather(
        *(knock(client, door, {HEADER.encode(): each.encode("latin-1")}) for each in wrong)
    )
    names = near_misses(key)
    found = [
        names.get(each, each.replace(key, "KEY"))
        for each, answer in zip(wrong, answers, strict=True)
        if answer.is_success
    ]
    return f"Of {len(wrong)} wrong keys these get in: {'; '.join(found)}." if found else ""


async def expect_denied_without_configured_key(task: Task, doors: Sequence[str] = DOORS) -> None:
    """Assert that an application with no key of its own, or an empty one, serves nobody.

    Args:
        doors: where to knock: those that are shut where there is a key.
    """
    task.write_env(**model_paths(task))
    for env, how in (({}, "not set"), ({"API_KEY": ""}, "empty")):
        started = False
        try:
            async with task.serve(env=env) as client:
                started = True
                await _expect_nobody_served(
                    client, task, f"API_KEY is {how}, so no key can be right", doors
                )
        except SubmissionFault:
            if started:
                raise
            # The safest answer, and nothing to show on a card of the other case.
            task.transcript.raised.clear()


async def _expect_nobody_served(
    client: httpx.AsyncClient, task: Task, because: str, doors: Sequence[str]
) -> None:
    # What an absent or empty key is made of, as text.
    texts = ("None", "none", "NONE", "null", "False", "b''")
    headers_tried: list[dict[str, str]] = [{}, key_header(""), *map(key_header, texts)]
    hints = dict.fromkeys(texts, "What does your code make of a key that is not there, as text?")
    # What the program has drawn for itself, and told.
    leaks = {
        word.strip("\"'.,;:()[]") for line in task.transcript.lines for word in line.text.split()
    }
    words = {
        *keys_in_source(task),
        *keys_in_other_files(task),
        *filter(is_plausible_key, leaks),
    }
    for headers in (*headers_tried, *map(key_header, sorted(words))):
        key = headers.get(HEADER, "")
        sent_header = f" (sent {HEADER}: {key!r})" if headers else ""
        hint = hints.get(key, "Where does your code find this key, with no API_KEY?")
        answer = await knock(client, doors[0], headers)
        if answer.status_code >= 400:
            continue
        sentence = _not_refused(answer, because + sent_header)
        if not key:
            raise await _opens_without_key(client, task, doors[0], sentence)
        where = where_it_stands(task, "API_KEY") if key in texts else where_key_is(task, key)
        raise Hinted(f"{sentence} {where}", hint)
    for door in doors[1:]:
        for answer in await asyncio.gather(*(knock(client, door, each) for each in headers_tried)):
            expect_not_served(answer, because)


async def _opens_without_key(
    client: httpx.AsyncClient, task: Task, door: str, sentence: str
) -> Hinted:
    """Return the error of a door that needs no key while none is set: which keys it takes."""
    with unshown(task):
        empty = await knock(client, door, key_header(""))
        wrong = await knock(client, door, key_header(_ANY_WRONG_KEY))
    if wrong.is_success:
        return Hinted(
            f"{sentence} Any key opens it as well.",
            "What does your code do where there is no API_KEY: ask for none?",
        )
    opens_too = "opens it as well" if empty.is_success else "is refused"
    return Hinted(
        f"{sentence} An empty header {opens_too}, and a wrong key is refused. "
        f"{where_it_stands(task, 'API_KEY')}",
        "What do you compare with what when there is neither an API_KEY nor a header?",
    )


def expect_key_not_leaked(task: Task, key: str, answers: Iterable[httpx.Response]) -> None:
    """Assert that the key appears in no answer, in nothing that was printed, and in no file."""
    for answer in answers:
        leaks = [f"the header {name}" for name, value in answer.headers.items() if key in value]
        if key in answer.text:
            leaks.append("the body")
        with hinted("Which line of yours writes that answer, and what of the request is in it?"):
            assert not leaks, (
                f"{request_line(answer)} answered {answer.status_code} with the API key itself in "
                f"{leaks[0]}; right is to tell it to nobody."
            )
    printed = [line.text for line in task.transcript.lines if key in line.text]
    with hinted("Which line of yours prints this?"):
        assert not printed, (
            f"The program printed the API key ({printed[0]}); right is to print it nowhere."
        )
    assert task.transcript.has_all_output, (
        "The program printed more than the lab reads of it, so nobody can say that the API key is "
        "not among it; right is a few lines for each request."
    )
    found = [name for name in task.files.names() if task.files.contains(name, key.encode())]
    if found:
        raise Hinted(
            f"The program wrote the API key into {found[0]}; right is to write it nowhere.",
            "What does your code write into this file, and from where does it have the key?",
        )
