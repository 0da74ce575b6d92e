"""An answer of a submission as an httpx response: nothing in it makes the checks work without end.

httpx decompresses what a header tells it to, decodes text as another header says, and looks through
a third for cookies, each for as long as that takes. A submission writes all three.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Mapping
from typing import Any

import httpx

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.sandbox.exchanges import ANSWERS_LIMIT_BYTES

ACCEPTED_ENCODINGS = {"accept-encoding": "gzip, deflate"}
"""The header of a request by which nobody answers compressed in another way."""

_MAX_HEADERS_BYTES = 64_000
"""How large all headers of an answer may be together: servers and browsers take no more either."""

_UNREAD = (b"set-cookie2",)
"""Headers that no browser reads any more; Python's reader of cookies still does, and fails at some
of them with a warning that it has a bug."""

_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}
"""What Python can decode and no browser does; `punycode`, in the square of a text's length."""


def bounded_response(
    name: str,
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    extensions: Mapping[str, Any] | None = None,
) -> httpx.Response:
    """Return the response.

    Args:
        name: the request, for a sentence: "GET /health".
        body: as it was sent, compressed perhaps.

    Raises:
        SubmissionFault: its headers, or what its body decompresses to, are too large.
    """
    if sum(len(each) + len(value) for each, value in headers) > _MAX_HEADERS_BYTES:
        limit = f"{_MAX_HEADERS_BYTES // 1000} kB"
        raise SubmissionFault(f"{name} is answered with more than {limit} of headers.")
    refuse_decompression_bomb(name, headers, body)
    read = [(each, value) for each, value in headers if each.lower() not in _UNREAD]
    response = httpx.Response(status, headers=read, content=body, extensions=dict(extensions or {}))
    charset = response.charset_encoding
    if charset is None or not _is_charset(charset):
        response.encoding = "utf-8"
    try:
        response.text  # noqa: B018 - decodes it, and knows it from then on
    except UnicodeError:  # such as UTF-16 without its first two bytes
        response.encoding = "utf-8"
    return response


def refuse_decompression_bomb(name: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Decompress an answer as httpx will do, but only so far.

    Raises:
        SubmissionFault: it is more than a submission may answer, or nobody knows how much it is.
    """
    told = [value for each, value in headers if each.lower() == b"content-encoding"]
    compressed = len(body)
    for encoding in filter(None, (each.strip().lower() for each in b",".join(told).split(b","))):
        if encoding in (b"br", b"zstd"):  # httpx may know how, by what is installed beside it
            raise SubmissionFault(
                f"{name} is answered compressed as {encoding.decode()}; right is what the request "
                f"accepts, {ACCEPTED_ENCODINGS['accept-encoding']}."
            )
        if (decompressed := _decompress(body)) is None:
            return  # httpx says what is wrong with it
        if len(decompressed) > ANSWERS_LIMIT_BYTES:
            raise SubmissionFault(
                f"{name} is answered with more than {ANSWERS_LIMIT_BYTES // 2**20} MB, "
                f"compressed to {compressed} bytes."
            )
        body = decompressed


def _decompress(data: bytes) -> bytes | None:
    """Decompress gzip, zlib or raw deflate, up to one byte more than the limit."""
    for kind in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(kind).decompress(data, ANSWERS_LIMIT_BYTES + 1)
        except zlib.error:
            continue
    return None


def _is_charset(name: str) -> bool:
    """Whether that is how text is written on the web."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return True  # httpx takes its own then
    if found.name.replace("-", "_") in _NO_CHARSETS:
        return False
    try:
        b"text".decode(found.name, errors="replace")
    except LookupError:  # it decodes to something else than text, as base64 does
        return False
    return True
