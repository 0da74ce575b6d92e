"""Answers with headers that nobody would send: what httpx does by them, on the checks' side."""

from __future__ import annotations

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.sandbox.responses import bounded_response
from tests.fuzz.rounds import in_time, rounds, texts

NAMES = st.sampled_from(
    ["content-type", "content-encoding", "set-cookie", "set-cookie2", "location", "x-y", ""]
)
VALUES = texts(
    "text/plain; charset=",
    "application/json",
    "punycode",
    "utf-16",
    "idna",
    "uu",
    "gzip",
    "deflate",
    "br",
    ",",
    ";",
    "=",
    '"',
    "\\",
    " ",
    "a=b; expires=",
    "Wed, 09 Jun 2100 10:18:14 GMT",
    "max-age=",
    "9" * 40,
    "domain=",
    "http://[::",
    "?",
    "\t",
    "\n",
)
BODIES = st.binary(max_size=200) | st.sampled_from([b"a-" * 20_000, b"-" + b"9" * 40_000])


@rounds
@example([("content-type", "text/plain; charset=punycode")], b"a-" * 200_000)
@example([("set-cookie", "a=b"), ("set-cookie2", "a;" * 31_000)], b"")
@example([("set-cookie", "a=b; expires=" + " " * 60_000 + "x")], b"")
@example([("set-cookie", "a=b; expires=1" + " 1" * 30_000)], b"")
@example([("set-cookie", "a=b"), ("set-cookie2", 'a="' + "\\" * 60_000)], b"")
@example([("set-cookie", "a=b"), ("set-cookie2", "a=b; expires=")], b"")
@example([("content-type", ";" * 60_000)], b"x")
@given(st.lists(st.tuples(NAMES, VALUES), max_size=4), BODIES)
def test_answers(headers: list[tuple[str, str]], body: bytes) -> None:
    raw = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in headers]
    with in_time(SubmissionFault, httpx.DecodingError):
        response = bounded_response("GET /", 200, raw, body)
        response.request = httpx.Request("GET", "http://127.0.0.1:8000/")
        httpx.Cookies().extract_cookies(response)
        assert isinstance(response.text, str)
