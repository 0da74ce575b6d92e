"""The start command of an image: what it names, and what is wrong with that."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import replace
from pathlib import PurePosixPath

from checks.support.hints import hinted
from checks.task_5_1 import installation
from ml_api_lab.check import Hinted
from ml_api_lab.images.image import Command, Image

DEFAULT_PORT = 8080
_HOST_OPTION = re.compile(r"(^|\s)(--host|--bind|-b)\b[= ]*\S*")

_SHOWN_CHARACTERS = 120
"""How much of a start command a sentence has."""


def shown_start(image: Image) -> str:
    """Return the start command as the Dockerfile has it, for a sentence: a list, or a text."""
    final = image.final
    shown = json.dumps(image.start, ensure_ascii=False)
    if image.starts_in_shell:
        shown = " ".join(
            word for each in (final.entrypoint, final.command) if each for word in each.words
        )
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."


def start_text(image: Image) -> str:
    """Return the start command with the scripts and settings that it names."""
    texts = [*image.start]
    words = re.split(r"[\s=\"']+", " ".join(image.start))
    files = dict.fromkeys([*words, *(["gunicorn.conf.py"] if runs(image, "gunicorn") else [])])
    for word in files:
        path = posixpath.normpath(posixpath.join(image.final.workdir, word))
        if path in image.files:
            text = image.content(image.files[path]).decode("utf-8", errors="replace")
            texts += [] if "FastAPI(" in text else [text]
    return " ".join(texts)


def runs(image: Image, program: str) -> bool:
    return re.search(rf"\b{program}\b", " ".join(image.start)) is not None


def starts_a_shell(image: Image) -> bool:
    return any(
        re.fullmatch(r"(.*/)?(ba|da|a|z)?sh", word) or word.endswith(".sh") for word in image.start
    )


def with_port(image: Image, port: int) -> Image:
    """Return the image with this port where its start command names one in place of PORT.

    That it listens on PORT is one check's question; the others ask wherever it listens.
    """

    def changed(command: Command | None) -> Command | None:
        if command is None:
            return None
        text = "\0".join(command.words)
        option = r"(--port[=\0 ]|(?:--bind|-b)[=\0 ][^\0 ]*:)"
        text = re.sub(rf"{option}\d+\b", rf"\g<1>{port}", text)
        if not command.in_shell and not starts_a_shell(image):
            text = re.sub(rf"{option}\$\{{?PORT\b[^\0]*", rf"\g<1>{port}", text)
        return replace(command, words=tuple(text.split("\0")))

    final = image.final
    return replace(
        image,
        final=replace(final, entrypoint=changed(final.entrypoint), command=changed(final.command)),
    )


def with_uvicorn(image: Image) -> Image:
    """Return the image with its server, which is not installed here, replaced by uvicorn."""
    text = start_text(image)
    named = re.search(r"\b([A-Za-z_][\w.]*:[A-Za-z_]\w*)\b", text)
    script = re.search(r"\b([A-Za-z_]\w*)\.py\b", text)
    app = named[1] if named else f"{script[1] if script else 'main'}:app"
    shell = f"exec python -m uvicorn {app} --host 0.0.0.0 --port $PORT"
    final = replace(
        image.final, entrypoint=None, command=Command(("sh", "-c", shell), False, image.start_line)
    )
    return replace(image, final=final)


def address_given(image: Image) -> tuple[str, str]:
    """Return what the Dockerfile says of the address to listen on, and a hint."""
    text = start_text(image)
    if option := _HOST_OPTION.search(text):
        return f"The start command has {option[0].strip()}", "Inside a container, who is 127.0.0.1?"
    servers = [each for each in installation.SERVERS if runs(image, each)]
    if servers:
        return (
            f"The start command (line {image.start_line}), {shown_start(image)}, names no address",
            f"On which address does {servers[0]} listen when its command names none?",
        )
    host = image.final.env.get("HOST")
    if host is None:
        return (
            "No ENV line of the Dockerfile sets HOST",
            "Which variable does your app read for its address, and who sets it in the container?",
        )
    return f"In the Dockerfile, ENV sets HOST to {host}", "Inside a container, who is 127.0.0.1?"


def judge_port_by_text(image: Image) -> None:
    text = start_text(image)
    has_option = re.search(r"(^|\s)(-b|--bind|-p|--port)\b|\bbind *=", text)
    # Both have PORT for their default.
    is_default = not has_option and (runs(image, "gunicorn") or runs(image, "fastapi"))
    assert is_default or "PORT" in text, (
        f"The start command, {text}, does not use PORT; right is to listen there."
    )
    spelled = re.search(r"""PORT(?::?-|["'] *, *["']?)(\d+)""", text)
    default = image.final.env.get("PORT") or (spelled[1] if spelled else "no port")
    assert default == str(DEFAULT_PORT), (
        f"With PORT not set the start command, {text}, has {default}; right is {DEFAULT_PORT}."
    )


def judge_address_by_text(image: Image) -> None:
    text = start_text(image)
    has_option = re.search(r"(^|\s)(-b|--bind|--host)\b|\bbind *=", text)
    has_every_address = re.search(r"0\.0\.0\.0|\[?::\]?|(--bind|-b)[ =]?[\"']?:", text)
    is_default = not has_option and (runs(image, "gunicorn") or runs(image, "fastapi run"))
    assert has_every_address or is_default, (
        f"The start command, {text}, does not listen on every address; right is 0.0.0.0."
    )


def judge_workers_by_text(image: Image) -> None:
    """Assert that gunicorn, which is made for WSGI, is told of workers for ASGI."""
    texts = [start_text(image), image.final.env.get("GUNICORN_CMD_ARGS", "")]
    has_option = re.search(r"(^|\s)(-k|--worker-class)|\bworker_class\b", " ".join(texts))
    has_adapter = "a2wsgi" in installation.installed_packages(image)
    with hinted("Which worker does gunicorn start when its command names none?"):
        assert has_option or has_adapter or not runs(image, "gunicorn"), (
            "gunicorn's own workers speak WSGI, and a FastAPI app speaks ASGI, so that every "
            "request would end in a 500; right is a worker for ASGI: -k "
            "uvicorn_worker.UvicornWorker."
        )


def expect_script_in_workdir(image: Image) -> None:
    """Assert that the script of the start command does not lie in another folder instead."""
    named = re.search(r"(?:^|\s)(\w+)(?:\.py\b|:\w+)", " ".join(image.start))
    name = f"{named[1]}.py" if named else ""
    workdir = image.final.workdir
    places = [path for path in image.files if PurePosixPath(path).name == name]
    if places and posixpath.join(workdir, name) not in places:
        raise Hinted(
            f"The start command ends before it listens: it looks for {name} in {workdir}, and the "
            f"image has it as {places[0]} (line {image.files[places[0]].line} copies it).",
            "Into which folder do you copy the code, and in which one does the start command run?",
        )
