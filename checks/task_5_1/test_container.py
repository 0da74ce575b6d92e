"""Task 5.1: the container, judged by what its image would hold."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from checks.support.http import expect, expect_json, json_field
from checks.support.http_client import bounded_client
from checks.task_5_1 import installation
from ml_api_lab.check import (
    Hinted,
    Process,
    SubmissionFault,
    Task,
    free_port,
    on_the_wall_clock,
    points,
)
from ml_api_lab.images.container import Container
from ml_api_lab.images.context import Context
from ml_api_lab.images.image import BuildStage, Command, Image

KEY = "a-key-from-outside"
DEFAULT_PORT = 8080
ANSWER_LIMIT_SECONDS = 15
"""How long an answer may take, in seconds of real time."""

STOP_LIMIT_SECONDS = 10  # as long as Docker waits before it kills

_SHOWN_CHARACTERS = 120
"""How much of a start command a sentence has."""

_NO_MODULE = re.compile(r"No module named '([\w.]{1,80})'")
_SEARCHED_CHARACTERS = 20_000
"""How much of what an app has printed is searched, from its end."""

# Users that the usual bases have by themselves.
KNOWN_USERS = {"nobody", "nonroot", "www-data", "daemon", "bin", "sys", "mail", "games", "guest"}
KNOWN_USERS |= {"operator", "backup", "list", "news", "uucp", "proxy", "sync", "man", "lp"}
BARE_BASES = r"(^|/)(python|python3[\w-]*|debian|ubuntu|alpine|uv|distroless/\S+)$"


# --- what the Dockerfile says --------------------------------------------------------------------


@points(1, hint="Which tag of the official Python image is small, and will be the same next year?")
async def test_base_is_slim_and_has_a_version(task: Task) -> None:
    """The base is a slim Python image with a version."""
    image = task.image()
    assert image.stages, "The Dockerfile has no FROM line yet; it begins with a slim Python base."
    for stage in image.stages:
        name, tag, digest = _split_reference(stage.root)
        exact = r"\d+\.\d+" if name.split("/")[-1] == "python" else r"\d"
        assert digest or re.search(exact, f"{name}:{tag}"), (
            f"FROM {stage.root} leaves the version open, so tomorrow's build may get another one; "
            "right is a tag with a version, such as python:3.15-slim."
        )
    name, tag, digest = _split_reference(image.base)
    is_small = re.search(r"slim|alpine|distroless|chainguard|minimal|micro|wolfi", f"{name}:{tag}")
    assert is_small or (digest and not tag), (
        f"FROM {image.base} is no slim image: it brings compilers and more that the app never "
        "uses; right is a slim one, such as python:3.15-slim."
    )


@points(1, hint="Which line does Docker repeat after you have changed a line of main.py?")
async def test_requirements_are_installed_before_the_code(task: Task) -> None:
    """The requirements are installed before the code is copied."""
    image = task.image()
    _expect_code(image)
    steps = installation.install_steps(image)
    assert steps, "No RUN line installs anything; right is to install the requirements."
    first = steps[0]
    missing = installation.missing_requirements_file(image, first)
    missing_file, is_beside_dockerfile = missing or (None, False)
    if missing_file is not None and is_beside_dockerfile:
        raise Hinted(
            f"Line {first.line} installs from {missing_file}, which is not in the image at that "
            "line; right is to copy it before.",
            "Which line of yours brings that file into the image, and where does it stand?",
        )
    if missing_file is not None and _has_bare_base(image):
        raise Hinted(
            f"Line {first.line} installs from {missing_file}, and there is no such file beside the "
            "Dockerfile; right is the name of one that there is, such as requirements.txt.",
            "Which file of yours lists the requirements, and what is its name, letter by letter?",
        )
    code = [installation.code_copied_before(step) for step in steps]
    name, line = code[0][0] if code[0] else ("", 0)
    assert not code[0], (
        f"{name} is copied (line {line}) before the requirements are installed (line "
        f"{first.line}), so each change of the code installs everything again; right is the "
        "requirements first, then the code."
    )


@points(1, hint="What would a fresh machine have to install before it can start your app?")
async def test_requirements_name_what_the_app_needs(task: Task) -> None:
    """What the app imports is installed in the image."""
    image = task.image()
    _expect_code(image)
    assert installation.install_steps(image), (
        "No RUN line installs anything; right is to install the requirements."
    )
    if not _has_bare_base(image):
        return
    packages = installation.installed_packages(image)
    for package, user in installation.needed_packages(image).items():
        assert package in packages, (
            f"Nothing installs {package} in the image, and {user} cannot do without it; right is "
            "to list it in requirements.txt."
        )


@points(1, hint="Whose rights has somebody who breaks into the app, inside the container?")
async def test_does_not_run_as_root(task: Task) -> None:
    """The app does not run as root."""
    image = task.image()
    user = image.final.user.partition(":")[0]
    assert user not in ("", "root") and not re.fullmatch("0+", user), (
        "The app would run as root; right is a USER line with a user who is not root."
        if image.final.user in ("", "root")
        else f"USER {image.final.user} is root; right is a user who is not."
    )
    if user.isdigit() or user in KNOWN_USERS or "/etc/passwd" in image.files:
        return
    assert any(_may_create(user, _expanded(image, text)) for text in _run_lines_of(image.final)), (
        f"USER {user} names a user whom nobody has made, so the container does not start; right "
        "is a RUN line with useradd before it, or a number such as 1000."
    )


# --- what the image holds ------------------------------------------------------------------------


@points(1, hint="Who can read a file that lies in an image that you have pushed to a registry?")
async def test_no_secrets_inside(task: Task) -> None:
    """`.env` and private keys stay out of the image."""
    secrets = {".env": f"API_KEY={KEY}\n", "server.pem": "-----BEGIN", "private.key": "-----BEGIN"}
    for name, content in secrets.items():
        task.files.write(name, content)
    image = task.image()
    _expect_code(image)
    for path, file in image.files.items():
        assert file.origin not in secrets, (
            f"{file.origin} beside main.py gets into the image as {path} (line {file.line} copies "
            "it); right is a .dockerignore that leaves it out."
        )
    for stage in image.stages:
        assert "API_KEY" not in stage.declared, (
            "ARG API_KEY hands the key to the build, and everybody who has the image can read "
            "what the build was given; right is to set it when the container starts."
        )
        assert not stage.env.get("API_KEY"), (
            "ENV API_KEY puts the key into the image, where everybody who has the image can read "
            "it; right is to set it when the container starts."
        )


def _run_lines_of(stage: BuildStage | None) -> Iterator[str]:
    """Yield what was run in a stage and in those that it continues."""
    while stage is not None:
        yield from (step.text for step in stage.steps)
        stage = stage.parent


def _may_create(user: str, command: str) -> bool:
    """Whether a RUN line may make that user: by the usual programs, by hand, or by a script."""
    word = re.compile(rf"(?<![\w./:@-]){re.escape(user)}(?![\w./-])")
    for part in re.split("[;&|]", command):
        maker = re.search(r"\b(useradd|adduser)\b", part)
        if maker and word.search(part, maker.end()):
            return True
    return bool(re.search(r"/etc/passwd|sysusers|\.sh\b", command) and word.search(command))


@points(1, hint="What in your folder was made on your machine, for your machine?")
async def test_no_clutter_inside(task: Task) -> None:
    """`__pycache__`, `.venv` and `.git` stay out of the image."""
    code = {str(PurePosixPath(name).parent) for name in task.files.names() if name.endswith(".py")}
    clutter = [f"{folder}/__pycache__/main.cpython-312.pyc" for folder in sorted(code)]
    clutter += [".venv/pyvenv.cfg", ".git/config"]
    for name in clutter:
        task.files.write(name, "left over\n")
    image = task.image()
    _expect_code(image)
    for path, file in image.files.items():
        parts = set(PurePosixPath(file.origin or "").parts)
        found = parts & {"__pycache__", ".venv", ".git"}
        assert not found, (
            f"{found.pop()} gets into the image (as {path}; line {file.line} copies it); right is "
            "a .dockerignore that leaves it out."
        )


# --- what it does --------------------------------------------------------------------------------


@points(1, hint="Which files does main.py need, and which of them are in the image?")
@on_the_wall_clock
async def test_serves_from_its_own_files(task: Task) -> None:
    """With nothing but the image's own files it answers and predicts."""
    image = task.image()
    _expect_code(image)
    _expect_start_command(image)
    port = free_port()
    container = task.container(_with_port(image, port))
    if container.missing_tool is not None:
        _judge_workers_by_text(image)
        container = task.container(_with_uvicorn(image))
    features = task.models.features()
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    await _serve(task, container, port, with_port=True)
    async with bounded_client(container.url, ANSWER_LIMIT_SECONDS) as client:
        expect_json(await client.get("/health"), {"status": "healthy"})
        answer = await client.post(
            "/predict/logistic_regression",
            json=dict(zip(names, features, strict=True)),
            headers={"X-API-Key": KEY},
        )
    expect(answer, 200, because="the image has all that a prediction needs")
    right = task.models.answer("logistic_regression", features)
    seen = json_field(answer, "prediction")
    assert seen == right, f"In the container the model's answer is {seen}; right is {right}."


@points(1, hint="Who chooses the port, you or the platform? And who replaces $PORT by its value?")
@on_the_wall_clock
async def test_listens_on_port(task: Task) -> None:
    """It listens on `PORT`, and on 8080 if that is not set."""
    image = task.image()
    _expect_start_command(image)
    bare = [word for word in image.start if re.search(r"\$\{?PORT", word)]
    if bare and not _starts_a_shell(image):
        raise AssertionError(
            f"The start command hands on {bare[0]} as it stands: a list is run without a shell, "
            "and only a shell puts the value of PORT in its place; right is a program that reads "
            "PORT itself, or a shell that is asked for by name."
        )
    container = task.container(image)
    if container.missing_tool is not None:
        _judge_port_by_text(image)
        return
    port = free_port()
    try:
        await _serve(task, container, port, with_port=True)
    except SubmissionFault as fault:
        raise AssertionError(f"With PORT={port} set: {fault}") from None
    await container.stop(STOP_LIMIT_SECONDS)
    await _expect_the_default_port(task, image)


async def _expect_the_default_port(task: Task, image: Image) -> None:
    container = task.container(image)
    _start_container(task, container, DEFAULT_PORT, with_port=False)
    try:
        await container.wait_until_listening()
    except SubmissionFault as fault:
        raise AssertionError(f"Without PORT, which means 8080: {fault}") from None


@points(1, hint="Inside a container, who is 127.0.0.1?")
@on_the_wall_clock
async def test_listens_on_every_interface(task: Task) -> None:
    """It can be reached from outside the container."""
    image = task.image()
    _expect_start_command(image)
    port = free_port()
    container = task.container(_with_port(image, port))
    if container.missing_tool is not None:
        _judge_address_by_text(image)
        return
    await _serve(task, container, port, with_port=True)
    assert await container.is_reachable() is not False, (
        "The app listens on 127.0.0.1, which nobody outside the container can reach; right is "
        "0.0.0.0."
    )


@points(1, hint="A platform sends SIGTERM to the first process. Which process is that, with yours?")
@on_the_wall_clock
async def test_stop_signal_ends_it(task: Task) -> None:
    """The start command is in the exec form, and the signal to stop ends the app."""
    image = task.image()
    _expect_start_command(image)
    shown = _shown_start(image)
    assert not image.starts_in_shell, (
        f"The start command (line {image.start_line}), {shown}, is a list in single quotes, which "
        "Docker takes for the text of a shell; right is double quotes."
        if "['" in image.start[-1].replace(" ", "")
        else f"The start command (line {image.start_line}), {shown}, is in the shell form, so a "
        "shell stands between the stop signal and the app; right is the exec form: "
        '["program", "argument"].'
    )
    port = free_port()
    container = task.container(_with_port(image, port))
    keeps_a_shell = _starts_a_shell(image) and "exec " not in _start_text(image)
    if container.missing_tool is not None:
        assert not keeps_a_shell, (
            f"The start command, {_start_text(image)}, leaves the shell in front of the app, where "
            "it keeps the stop signal to itself; right is exec before the last command."
        )
        return
    await _serve(task, container, port, with_port=True)
    if await container.stop(STOP_LIMIT_SECONDS):
        return
    why = "but leaves a shell in front of the app" if keeps_a_shell else "as is right"
    raise Hinted(
        f"{STOP_LIMIT_SECONDS} s after {image.final.stop_signal} some of it still runs. The start "
        f"command (line {image.start_line}), {shown}, is in the exec form, {why}; right is also "
        "that the signal reaches the app and ends it.",
        "Which word of a shell gives its place to the program that it starts?"
        if keeps_a_shell
        else "Which signal is sent here, and what does the first process do when it comes?",
    )


# --- helpers -------------------------------------------------------------------------------------


def _split_reference(reference: str) -> tuple[str, str, str]:
    """Return an image's name, tag and digest; what is missing is empty."""
    rest, _, digest = reference.partition("@")
    head, slash, last = rest.rpartition("/")
    last, _, tag = last.partition(":")
    return head + slash + last, tag, digest


def _has_bare_base(image: Image) -> bool:
    """Whether the base is one that brings neither packages nor files of its own."""
    return re.search(BARE_BASES, _split_reference(image.base)[0]) is not None


def _expect_code(image: Image) -> None:
    assert any(name.endswith(".py") for name in image.files), (
        "No line of the Dockerfile brings main.py into the image; COPY does."
    )


def _expect_start_command(image: Image) -> None:
    assert image.start, "The image has no start command; right is a CMD line that serves the app."


def _shown_start(image: Image) -> str:
    """Return the start command as the Dockerfile has it, for a sentence: a list, or a text."""
    final = image.final
    shown = json.dumps(image.start, ensure_ascii=False)
    if image.starts_in_shell:
        shown = " ".join(
            word for each in (final.entrypoint, final.command) if each for word in each.words
        )
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."


def _start_text(image: Image) -> str:
    """Return the start command with the scripts and settings that it names."""
    texts = [*image.start]
    words = re.split(r"[\s=\"']+", " ".join(image.start))
    files = dict.fromkeys([*words, *(["gunicorn.conf.py"] if _runs(image, "gunicorn") else [])])
    for word in files:
        path = posixpath.normpath(posixpath.join(image.final.workdir, word))
        if path in image.files:
            text = image.content(image.files[path]).decode("utf-8", errors="replace")
            texts += [] if "FastAPI(" in text else [text]
    return " ".join(texts)


def _runs(image: Image, program: str) -> bool:
    return re.search(rf"\b{program}\b", " ".join(image.start)) is not None


def _starts_a_shell(image: Image) -> bool:
    return any(
        re.fullmatch(r"(.*/)?(ba|da|a|z)?sh", word) or word.endswith(".sh") for word in image.start
    )


def _expanded(image: Image, text: str) -> str:
    """Return a RUN line's text with the variables that the build knows put in."""
    known = {name: value for stage in image.stages for name, value in stage.args.items()}
    known |= {name: value for stage in image.stages for name, value in stage.env.items()}
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], found[0]), text)


def _with_port(image: Image, port: int) -> Image:
    """Return the image with this port where its start command names one in place of PORT.

    That it listens on PORT is one check's question; the others ask wherever it listens.
    """

    def changed(command: Command | None) -> Command | None:
        if command is None:
            return None
        text = "\0".join(command.words)
        option = r"(--port[=\0 ]|(?:--bind|-b)[=\0 ][^\0 ]*:)"
        text = re.sub(rf"{option}\d+\b", rf"\g<1>{port}", text)
        if not command.in_shell and not _starts_a_shell(image):
            text = re.sub(rf"{option}\$\{{?PORT\b[^\0]*", rf"\g<1>{port}", text)
        return replace(command, words=tuple(text.split("\0")))

    final = image.final
    return replace(
        image,
        final=replace(final, entrypoint=changed(final.entrypoint), command=changed(final.command)),
    )


def _with_uvicorn(image: Image) -> Image:
    """Return the image with its server, which is not installed here, replaced by uvicorn."""
    text = _start_text(image)
    named = re.search(r"\b([A-Za-z_][\w.]*:[A-Za-z_]\w*)\b", text)
    script = re.search(r"\b([A-Za-z_]\w*)\.py\b", text)
    app = named[1] if named else f"{script[1] if script else 'main'}:app"
    shell = f"exec python -m uvicorn {app} --host 0.0.0.0 --port $PORT"
    final = replace(
        image.final, entrypoint=None, command=Command(("sh", "-c", shell), False, image.start_line)
    )
    return replace(image, final=final)


def _judge_port_by_text(image: Image) -> None:
    text = _start_text(image)
    has_option = re.search(r"(^|\s)(-b|--bind|-p|--port)\b|\bbind *=", text)
    # Both have PORT for their default.
    is_default = not has_option and (_runs(image, "gunicorn") or _runs(image, "fastapi"))
    assert is_default or "PORT" in text, (
        f"The start command, {text}, does not use PORT; right is to listen there."
    )
    spelled = re.search(r"""PORT(?::?-|["'] *, *["']?)(\d+)""", text)
    default = image.final.env.get("PORT") or (spelled[1] if spelled else "no port")
    assert default == str(DEFAULT_PORT), (
        f"With PORT not set the start command, {text}, has {default}; right is {DEFAULT_PORT}."
    )


def _judge_address_by_text(image: Image) -> None:
    text = _start_text(image)
    has_option = re.search(r"(^|\s)(-b|--bind|--host)\b|\bbind *=", text)
    has_every_address = re.search(r"0\.0\.0\.0|\[?::\]?|(--bind|-b)[ =]?[\"']?:", text)
    is_default = not has_option and (_runs(image, "gunicorn") or _runs(image, "fastapi run"))
    assert has_every_address or is_default, (
        f"The start command, {text}, does not listen on every address; right is 0.0.0.0."
    )


def _judge_workers_by_text(image: Image) -> None:
    """Assert that gunicorn, which is made for WSGI, is told of workers for ASGI."""
    texts = [_start_text(image), image.final.env.get("GUNICORN_CMD_ARGS", "")]
    has_option = re.search(r"(^|\s)(-k|--worker-class)|\bworker_class\b", " ".join(texts))
    has_adapter = "a2wsgi" in installation.installed_packages(image)
    assert has_option or has_adapter or not _runs(image, "gunicorn"), (
        "gunicorn's own workers speak WSGI, and a FastAPI app speaks ASGI, so that every request "
        "would end in a 500; right is a worker for ASGI: -k uvicorn_worker.UvicornWorker."
    )


async def _serve(task: Task, container: Container, port: int, *, with_port: bool) -> None:
    _start_container(task, container, port, with_port=with_port)
    try:
        await container.wait_until_listening()
    except SubmissionFault:
        if (name := _absent_module(task, container)) is None:
            raise
        is_ignored = Context(task.files.folder).ignores(name)
        why = "the .dockerignore leaves it out" if is_ignored else "no line copies it"
        # The same in every check, so that one card is enough.
        raise Hinted(
            f"The app imports {name}, which is not in the image: {why}; right is an image with "
            "every file that the app imports.",
            "Which files does main.py need, and which of them are in the image?",
        ) from None


def _absent_module(task: Task, container: Container) -> str | None:
    """Return the file beside the Dockerfile that the app could not import, as it is not there."""
    found = _NO_MODULE.search(container.process.output[-_SEARCHED_CHARACTERS:])
    name = f"{found[1].partition('.')[0]}.py" if found else ""
    if not name or not task.files.exists(name):
        return None
    return None if any(path.endswith(f"/{name}") for path in task.image().files) else name


def _start_container(task: Task, container: Container, port: int, *, with_port: bool) -> Process:
    models = container.mount(task.files.path("../task_2_1"))
    env = {
        "API_KEY": KEY,
        "LOGISTIC_MODEL": f"{models}/logistic_regression.pkl",
        "RF_MODEL": f"{models}/random_forest.pkl",
        **({"PORT": str(port)} if with_port else {}),
    }
    return container.start(env, port)
