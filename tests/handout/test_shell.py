"""The shell of the examples: what a text says wrongly is noticed."""

from __future__ import annotations

import pytest

from ml_api_lab.check import Clock, Task
from tests.handout.player import Player
from tests.handout.shell import Session, UnknownCommandError, parse

APP = """
import asyncio
from fastapi import FastAPI

app = FastAPI()


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(3)
    return "slow"
"""
BROKEN = "from fastapi import FastAPI\nraise RuntimeError('broken')\n"


def play(player: Player, source: str, script: str) -> Session:
    async def scene(task: Task, clock: Clock) -> Session:
        session = Session(task, clock)
        await session.run(script)
        await session.close()
        return session

    return player.program(source, scene)


@pytest.mark.parametrize(
    "script",
    [
        "curl localhost:8000/slow    # 404",
        "curl localhost:8000/slow    # 2 s",
        "curl localhost:8000/slow    # at once",
        "curl localhost:8000/slow    # 3 s, content-type: text/plain",
        "curl localhost:8000/slow    # prints fast",
        "curl localhost:8000/slow &\nwait    # 2 s",
        "curl localhost:8000/slow & sleep 1\nwait    # 3 s",
        "curl localhost:8000/slow    # fails",
        "uvicorn main:app    # this start fails",
        "cat main.py    # 1 line",
        "cat main.py    # no such file",
        "cat nothing.py",
        "python -c 'print(1)'    # prints 2",
        "python -c '1 / 0'",
        "cd nowhere",
    ],
)
def test_a_false_comment_is_noticed(script: str, player: Player) -> None:
    with pytest.raises(AssertionError):
        play(player, APP, script)


@pytest.mark.parametrize(
    "script",
    [
        "curl localhost:8000/slow    # fast",
        "curl example.org",
        "wget localhost:8000",
        "uvicorn other:app",
    ],
)
def test_what_the_shell_does_not_know_is_an_error(script: str, player: Player) -> None:
    with pytest.raises(UnknownCommandError):
        play(player, APP, script)


def test_a_true_comment_holds(player: Player) -> None:
    session = play(
        player,
        APP,
        "curl -i http://127.0.0.1:8000/slow    # 200\n"
        "time curl localhost:8000/slow    # 3 s, content-type: application/json\n"
        "curl localhost:8000/slow & sleep 1\n"
        "wait    # 2 s\n"
        "cat nothing    # no such file yet\n"
        "python -c 'print(1); print(2)'    # prints 2\n",
    )
    assert session.bodies == ['"slow"'] * 3
    assert session.output == ["1\n2"]


def test_a_start_that_fails_is_one(player: Player) -> None:
    assert play(player, BROKEN, "uvicorn main:app    # fails").bodies == []


def test_a_program_that_fails_is_one(player: Player) -> None:
    assert play(player, APP, "python -c '1 / 0'    # fails").output == []


def test_loops_and_variables_are_filled_in() -> None:
    script = """\
# only a comment
body='{"a": 1}'
for name in one two; do
  PORT=1 curl -d "$body" \\
    localhost:8000/$name &
done
"""
    commands = parse(script)
    assert [each.words for each in commands] == [
        ["curl", "-d", '{"a": 1}', "localhost:8000/one"],
        ["curl", "-d", '{"a": 1}', "localhost:8000/two"],
    ]
    assert [(each.env, each.in_background) for each in commands] == [({"PORT": "1"}, True)] * 2
