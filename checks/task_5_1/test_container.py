"""Task 5.1: the container, judged by what its image would hold."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from checks.support.hints import hinted
from checks.support.http import expect, expect_json, json_field
from checks.support.http_client import bounded_client
from checks.task_5_1 import installation
from checks.task_5_1.left_in import why_left_in
from checks.task_5_1.start_command import (
    DEFAULT_PORT,
    address_given,
    expect_script_in_workdir,
    judge_address_by_text,
    judge_port_by_text,
    judge_workers_by_text,
    shown_start,
    start_text,
    starts_a_shell,
    with_port,
    with_uvicorn,
)
from checks.task_5_1.users import KNOWN_USERS, expect_made
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
from ml_api_lab.images.image import Image

KEY = "a-key-from-outside"
ANSWER_LIMIT_SECONDS = 15
"""How long an answer may take, in seconds of real time."""

STOP_LIMIT_SECONDS = 10  # as long as Docker waits before it kills

_NO_MODULE = re.compile(r"No module named '([\w.]{1,80})'")
_ELSEWHERE = "listens on"

_SEARCHED_CHARACTERS = 20_000
"""How much of what an app has printed is searched, from its end."""


# --- what the Dockerfile says --------------------------------------------------------------------


@points(1, hint="Which tag of the official Python image is small, and will be the same next year?")
async def test_base_is_slim_and_has_a_version(task: Task) -> None:
    """The base is a slim Python image with a version."""
    image = _image(task)
    assert image.stages, "The Dockerfile has no FROM line yet; it begins with a slim Python base."
    for stage in image.stages:
        name, tag, digest = installation.split_reference(stage.root)
        exact = r"\d+\.\d+" if name.split("/")[-1] == "python" else r"\d"
        assert digest or re.search(exact, f"{name}:{tag}"), (
            f"FROM {stage.root} leaves the version open, so tomorrow's build may get another one; "
            "right is a tag with a version, such as python:3.15-slim."
        )
    name, tag, digest = installation.split_reference(image.base)
    is_small = re.search(r"slim|alpine|distroless|chainguard|minimal|micro|wolfi", f"{name}:{tag}")
    assert is_small or (digest and not tag), (
        f"FROM {image.base} is no slim image: it brings compilers and more that the app never "
        "uses; right is a slim one, such as python:3.15-slim."
    )


@points(1, hint="Which line does Docker repeat after you have changed a line of main.py?")
async def test_requirements_are_installed_before_the_code(task: Task) -> None:
    """The requirements are installed before the code is copied."""
    image = _image(task)
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
    if missing_file is not None and installation.has_bare_base(image):
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
    image = _image(task)
    _expect_code(image)
    assert installation.install_steps(image), (
        "No RUN line installs anything; right is to install the requirements."
    )
    if not installation.has_bare_base(image):
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
    image = _image(task)
    user = image.final.user.partition(":")[0]
    assert user not in ("", "root") and not re.fullmatch("0+", user), (
        "The app would run as root; right is a USER line with a user who is not root."
        if image.final.user in ("", "root")
        else f"USER {image.final.user} is root; right is a user who is not."
    )
    if user.isdigit() or user in KNOWN_USERS or "/etc/passwd" in image.files:
        return
    expect_made(image, user)


# --- what the image holds ------------------------------------------------------------------------


@points(1, hint="Who can read a file that lies in an image that you have pushed to a registry?")
async def test_no_secrets_inside(task: Task) -> None:
    """`.env` and private keys stay out of the image."""
    secrets = {".env": f"API_KEY={KEY}\n", "server.pem": "-----BEGIN", "private.key": "-----BEGIN"}
    for name, content in secrets.items():
        task.files.write(name, content)
    image = _image(task)
    _expect_code(image)
    for path, file in image.files.items():
        if file.origin in secrets:
            why, hint = why_left_in(image.context, file.origin)
            raise Hinted(
                f"{file.origin} beside main.py gets into the image as {path} (line {file.line} "
                f"copies it, and {why}); right is a .dockerignore that leaves it out.",
                hint,
            )
    for stage in image.stages:
        with hinted("Which line of the Dockerfile is that, and who sets API_KEY without it?"):
            assert "API_KEY" not in stage.declared, (
                "ARG API_KEY hands the key to the build, and everybody who has the image can read "
                "what the build was given; right is to set it when the container starts."
            )
            assert not stage.env.get("API_KEY"), (
                "ENV API_KEY puts the key into the image, where everybody who has the image can "
                "read it; right is to set it when the container starts."
            )


@points(1, hint="What in your folder was made on your machine, for your machine?")
async def test_no_clutter_inside(task: Task) -> None:
    """`__pycache__`, `.venv` and `.git` stay out of the image."""
    code = {str(PurePosixPath(name).parent) for name in task.files.names() if name.endswith(".py")}
    clutter = [f"{folder}/__pycache__/main.cpython-312.pyc" for folder in sorted(code)]
    clutter += [".venv/pyvenv.cfg", ".git/config"]
    for name in clutter:
        task.files.write(name, "left over\n")
    image = _image(task)
    _expect_code(image)
    for path, file in image.files.items():
        parts = set(PurePosixPath(file.origin or "").parts)
        found = parts & {"__pycache__", ".venv", ".git"}
        if found:
            why, hint = why_left_in(image.context, str(file.origin))
            raise Hinted(
                f"{found.pop()} gets into the image (as {path}; line {file.line} copies it, and "
                f"{why}); right is a .dockerignore that leaves it out.",
                hint,
            )


# --- what it does --------------------------------------------------------------------------------


@points(1, hint="Which files does main.py need, and which of them are in the image?")
@on_the_wall_clock
async def test_serves_from_its_own_files(task: Task) -> None:
    """With nothing but the image's own files it answers and predicts."""
    image = _image(task)
    _expect_code(image)
    _expect_start_command(image)
    port = free_port()
    container = task.container(with_port(image, port))
    if container.missing_tool is not None:
        judge_workers_by_text(image)
        container = task.container(with_uvicorn(image))
    features = task.models.features()
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    await _serve(task, image, container, port)
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
    image = _image(task)
    _expect_start_command(image)
    bare = [word for word in image.start if re.search(r"\$\{?PORT", word)]
    if bare and not starts_a_shell(image):
        raise AssertionError(
            f"The start command hands on {bare[0]} as it stands: a list is run without a shell, "
            "and only a shell puts the value of PORT in its place; right is a program that reads "
            "PORT itself, or a shell that is asked for by name."
        )
    container = task.container(image)
    if container.missing_tool is not None:
        judge_port_by_text(image)
        return
    port = free_port()
    try:
        await _serve(task, image, container, port)
    except SubmissionFault as fault:
        if _ELSEWHERE not in str(fault):
            raise
        raise Hinted(
            f"With PORT={port} set: {fault}",
            "Which line names the port on which it listens, and does that read PORT?",
        ) from None
    await container.stop(STOP_LIMIT_SECONDS)
    await _expect_the_default_port(task, image)


async def _expect_the_default_port(task: Task, image: Image) -> None:
    container = task.container(image)
    _start_container(task, container, DEFAULT_PORT, with_port=False)
    try:
        await container.wait_until_listening()
    except SubmissionFault as fault:
        raise Hinted(
            f"Without PORT, which means 8080: {fault}",
            "Which line of yours, in the Dockerfile or in the code, gives PORT its default?",
        ) from None


@points(1, hint="Inside a container, who is 127.0.0.1?")
@on_the_wall_clock
async def test_listens_on_every_interface(task: Task) -> None:
    """It can be reached from outside the container."""
    image = _image(task)
    _expect_start_command(image)
    port = free_port()
    container = task.container(with_port(image, port))
    if container.missing_tool is not None:
        judge_address_by_text(image)
        return
    await _serve(task, image, container, port)
    if await container.is_reachable() is False:
        seen, hint = address_given(image)
        raise Hinted(
            "The app listens on 127.0.0.1, which nobody outside the container can reach; right is "
            f"0.0.0.0. {seen}.",
            hint,
        )


@points(1, hint="A platform sends SIGTERM to the first process. Which process is that, with yours?")
@on_the_wall_clock
async def test_stop_signal_ends_it(task: Task) -> None:
    """The start command is in the exec form, and the signal to stop ends the app."""
    image = _image(task)
    _expect_start_command(image)
    shown = shown_start(image)
    assert not image.starts_in_shell, (
        f"The start command (line {image.start_line}), {shown}, is a list in single quotes, which "
        "Docker takes for the text of a shell; right is double quotes."
        if "['" in image.start[-1].replace(" ", "")
        else f"The start command (line {image.start_line}), {shown}, is in the shell form, so a "
        "shell stands between the stop signal and the app; right is the exec form: "
        '["program", "argument"].'
    )
    port = free_port()
    container = task.container(with_port(image, port))
    keeps_a_shell = starts_a_shell(image) and "exec " not in start_text(image)
    if container.missing_tool is not None:
        assert not keeps_a_shell, (
            f"The start command, {start_text(image)}, leaves the shell in front of the app, where "
            "it keeps the stop signal to itself; right is exec before the last command."
        )
        return
    await _serve(task, image, container, port)
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


def _image(task: Task) -> Image:
    """Return the image of the Dockerfile.

    Raises:
        Hinted: a line of it cannot be built.
    """
    try:
        return task.image()
    except SubmissionFault as fault:
        if type(fault) is not SubmissionFault:
            raise  # there is none
        raise Hinted(str(fault), "Begin with this line: nothing after it is built.") from None


def _expect_code(image: Image) -> None:
    assert any(name.endswith(".py") for name in image.files), (
        "No line of the Dockerfile brings main.py into the image; COPY does."
    )


def _expect_start_command(image: Image) -> None:
    with hinted("Which line of a Dockerfile says what runs when the container starts?"):
        assert image.start, (
            "The image has no start command; right is a CMD line that serves the app."
        )


async def _serve(task: Task, image: Image, container: Container, port: int) -> None:
    _start_container(task, container, port, with_port=True)
    try:
        await container.wait_until_listening()
    except SubmissionFault:
        if (name := _absent_module(task, container)) is None:
            expect_script_in_workdir(image)
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
