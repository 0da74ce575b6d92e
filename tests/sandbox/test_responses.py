"""Answers that would have the checks work without end."""

from __future__ import annotations

import gzip

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.sandbox import responses
from ml_api_lab.sandbox.responses import bounded_response


@pytest.mark.parametrize(
    ("charset", "read"),
    [
        ("punycode", "utf-8"),
        ("PunyCode", "utf-8"),
        ("idna", "utf-8"),
        ("unicode-escape", "utf-8"),
        ("rot13", "utf-8"),
        ("zip", "utf-8"),
        ("no-such-charset", "utf-8"),
        ("latin-1", "latin-1"),
        ("UTF-16", "utf-8"),
        ("cp1252", "cp1252"),
    ],
)
def test_text_is_decoded_as_on_the_web(charset: str, read: str) -> None:
    told = b"text/plain; charset=" + charset.encode()
    response = bounded_response("GET /", 200, [(b"content-type", told)], b"a-b" * 100)
    assert response.encoding == read
    assert response.text


def test_an_answer_without_a_charset_is_read_as_httpx_does() -> None:
    response = bounded_response("GET /", 200, [], "é".encode())
    assert response.text == "é"


def test_headers_have_a_limit() -> None:
    headers = [(b"set-cookie2", b"a;" * 30_000), (b"x", b"y" * 4_000)]
    with pytest.raises(SubmissionFault) as raised:
        bounded_response("GET /", 200, headers, b"")
    assert str(raised.value) == "GET / is answered with more than 64 kB of headers."
    assert bounded_response("GET /", 200, headers[1:], b"").headers["x"] == "y" * 4_000


def test_what_is_compressed_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "ANSWERS_LIMIT_BYTES", 2**20)
    headers = [(b"Content-Encoding", b"gzip"), (b"content-encoding", b" GZIP")]
    body = gzip.compress(gzip.compress(bytes(2**20)))
    assert len(bounded_response("GET /", 200, headers, body).content) == 2**20
    body = gzip.compress(gzip.compress(bytes(2**20 + 1)))
    with pytest.raises(SubmissionFault, match=f"than 1 MB, compressed to {len(body)} bytes"):
        bounded_response("GET /", 200, headers, body)


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, BR"])
def test_what_nobody_asked_for_is_not_decompressed(encoding: bytes) -> None:
    body = gzip.compress(b"x")
    with pytest.raises(SubmissionFault, match="right is what the request accepts, gzip, deflate"):
        bounded_response("GET /", 200, [(b"content-encoding", encoding)], body)
