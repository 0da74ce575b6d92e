"""Submissions that nobody has worked on: what they earn shows what a check gives away.

Junk must earn nothing. An application that gives everything the same answer is no junk where a task
asks for that very answer; what it earns is told, for its author to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TEXT = "This is my homework. I hope that it is enough.\n"
_APPLICATION = '''\
"""An application that answers {status} to everything."""


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({{"type": kind + ".complete"}})
            if kind.endswith("shutdown"):
                return
    headers = [(b"content-type", b"application/json")]
    await send({{"type": "http.response.start", "status": {status}, "headers": headers}})
    await send({{"type": "http.response.body", "body": b'{body}'}})
'''


@dataclass(frozen=True)
class Junk:
    """A submission without any work.

    Attributes:
        name: what it is, for a sentence.
        module: the text of its Python modules, None where it has no files at all.
        other: the text of its other files.
        must_earn_nothing: whether no check of any task may give it a point.
    """

    name: str
    module: str | None
    other: str
    must_earn_nothing: bool = True

    def write(self, folder: Path, names: Sequence[str]) -> None:
        """Write it in place of a task's folder, with the files of these names."""
        if self.module is None:
            return
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.module if path.suffix == ".py" else self.other, encoding="utf-8")


def _same_answer(status: int, body: str) -> Junk:
    module = _APPLICATION.format(status=status, body=body)
    name = f"an application that answers {status} to everything"
    return Junk(name, module, _TEXT, must_earn_nothing=False)


KINDS = (
    Junk("a folder that is not there", None, ""),
    Junk("empty files", "", ""),
    Junk("a sentence in each file", _TEXT, _TEXT),
    _same_answer(200, "{}"),
    _same_answer(401, '{"detail":"No."}'),
    _same_answer(422, '{"detail":"No."}'),
)
