"""Keys at the door: carrying one, and judging how an application refuses without."""

from __future__ import annotations

import ast
import asyncio
import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checks.support.http import body_excerpt, expect, json_body, request_line
from checks.support.predictions import MODELS
from checks.support.source import syntax_trees
from ml_api_lab.check import Hinted, SubmissionFault

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Task

HEADER = "X-API-Key"
NO_KEY = f"the request has no {HEADER}"

_PLAUSIBLE_KEY = re.compile(r"[!-~]([ -~]{,62}[!-~])?")
_ANY_WRONG_KEY = "any-wrong-key"
_SMALL_FILE_BYTES = 10_000
_MAX_KEYS_TRIED = 300
"""How many words of a file, and of all files, are tried as keys."""


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
    raise AssertionError(sentence)


def expect_denied(
    response: httpx.Response, because: str, *, usual: httpx.Response | None = None
) -> None:
    """Assert that the answer is a 401 or 403 whose JSON has a `detail`.

    Args:
        usual: the refusal of a request without a key, where another check asks for its status: a
            400, say, will do here as well. A 404 and a 422 tell of something else.
    """
    kind = {usual.status_code} & {*range(400, 500)} - {404, 405, 422} if usual else set()
    if response.status_code not in kind:
        expect(response, 401, 403, because=because)
    try:
        content = json_body(response)
        assert isinstance(content, dict) and content.get("detail"), (
            f"{request_line(response)} answered {content}; right is JSON with a 'detail'."
        )
    except AssertionError as error:
        raise Hinted(
            str(error),
            "Which class of response writes JSON? And in which form does FastAPI itself tell a "
            "reason, a 404's for instance?",
        ) from None


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
            "it compare what it finds? And is the endpoint's answer handed back?",
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
    other = "1" if key[-1] == "0" else "0"
    truncated = ["", key[:-1], key[1:], f"{key}0", f"0{key}"]
    changed = [key.upper(), key[:-1] + other, "".join(sorted(key))]
    decorated = [f"Bearer {key}", f"x {key}", f"x,{key}", f'"{key}"', "*"]
    unusual = ["schlüssel", "ключ".encode().decode("latin-1"), "\xff\xfe", f"{key}ü", f"ü{key}"]
    doors = await shut_doors(client)
    usual = await knock(client, doors[0])
    for wrong in (*truncated, *changed, *decorated, *unusual):
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
                is_raised = wrong in unusual and answer.status_code >= 500
                raise Hinted(
                    str(error),
                    "What does secrets.compare_digest say to text that is not ASCII?"
                    if is_raised
                    else "Is the whole key compared, just as it came?",
                ) from None
    found = [each for each in _keys_in_source(task) if re.fullmatch(r"[^ /]{4,}", each)]
    for wrong, answer in zip(
        found,
        await asyncio.gather(*(knock(client, doors[0], key_header(each)) for each in found)),
        strict=True,
    ):
        because = f"'{wrong}', which stands in the code, is not the key '{key}'"
        expect_denied(answer, because, usual=usual)


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
    hints = dict.fromkeys(texts, "What does str(...) make of a key that is not there?")
    # What the program has drawn for itself, and told.
    leaks = {
        word.strip("\"'.,;:()[]") for line in task.transcript.lines for word in line.text.split()
    }
    words = {
        *_keys_in_source(task),
        *_keys_in_other_files(task),
        *filter(_PLAUSIBLE_KEY.fullmatch, leaks),
    }
    for headers in (*headers_tried, *map(key_header, sorted(words))):
        key = headers.get(HEADER, "")
        sent_header = f" (sent {HEADER}: {key!r})" if headers else ""
        hint = hints.get(key, "Where does your code find this key, with no API_KEY?" if key else "")
        expect_not_served(await knock(client, doors[0], headers), because + sent_header, hint)
    for door in doors[1:]:
        for answer in await asyncio.gather(*(knock(client, door, each) for each in headers_tried)):
            expect_not_served(answer, because)


def source_constants(task: Task) -> set[str]:
    """Return what the code has in quotes, and its numbers, as text."""
    found = set()
    for _, _, tree in syntax_trees(task):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                found.add(node.value.decode("latin-1"))
            elif isinstance(node, ast.Constant):
                try:
                    found.add(str(node.value))
                except ValueError:  # a number of thousands of digits
                    pass
    return found


def _keys_in_source(task: Task) -> list[str]:
    """Return what the code might take for a key: when it is given none, or beside its own."""
    found = sorted(filter(_PLAUSIBLE_KEY.fullmatch, source_constants(task)))
    return found[:_MAX_KEYS_TRIED]


def _keys_in_other_files(task: Task) -> set[str]:
    """Return what other files beside the code might hold as a key: `.env.example`, say."""
    found: set[str] = set()
    for name in task.files.names():
        if name.endswith((".py", ".pkl")):
            continue
        try:
            text = task.files.data(name, _SMALL_FILE_BYTES).decode("utf-8", errors="replace")
        except SubmissionFault:  # it is too large
            continue
        words = re.split(r"[\s=:\"',]+", text)
        found.update(filter(_PLAUSIBLE_KEY.fullmatch, words))
        if len(found) > _MAX_KEYS_TRIED:
            break
    return found


def expect_key_not_leaked(task: Task, key: str, answers: Iterable[httpx.Response]) -> None:
    """Assert that the key appears in no answer, in nothing that was printed, and in no file."""
    for answer in answers:
        leaks = [f"the header {name}" for name, value in answer.headers.items() if key in value]
        if key in answer.text:
            leaks.append("the body")
        assert not leaks, (
            f"{request_line(answer)} answered {answer.status_code} with the API key itself in "
            f"{leaks[0]}; right is to tell it to nobody."
        )
    printed = [line.text for line in task.transcript.lines if key in line.text]
    assert not printed, (
        f"The program printed the API key ({printed[0]}); right is to print it nowhere."
    )
    assert task.transcript.has_all_output, (
        "The program printed more than the lab reads of it, so nobody can say that the API key is "
        "not among it; right is a few lines for each request."
    )
    found = [name for name in task.files.names() if task.files.contains(name, key.encode())]
    assert not found, (
        f"The program wrote the API key into {found[0]}; right is to write it nowhere."
    )
