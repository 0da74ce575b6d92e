"""Who an image's app runs as, and which line makes that user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml_api_lab.check import Hinted
from ml_api_lab.images.image import BuildStage, Image, RunStep

# Users that the usual bases have by themselves.
KNOWN_USERS = {"nobody", "nonroot", "www-data", "daemon", "bin", "sys", "mail", "games", "guest"}
KNOWN_USERS |= {"operator", "backup", "list", "news", "uucp", "proxy", "sync", "man", "lp"}
_MAKER = re.compile(r"\b(useradd|adduser)\b")


def expect_made(image: Image, user: str) -> None:
    """Assert that a RUN line may make that user; if none does, tell whom the lines make."""
    if any(_may_create(user, _expanded(image, step.text)) for step in _steps_of(image.final)):
        return
    seen, hint = _whom_they_make(image, user)
    raise Hinted(
        f"USER {user} names a user whom nobody has made ({seen}), so the container does not start; "
        "right is a RUN line with useradd before it, or a number such as 1000.",
        hint,
    )


def _whom_they_make(image: Image, user: str) -> tuple[str, str]:
    own = list(_steps_of(image.final))
    for stage in image.stages:
        for step in stage.steps:
            if step not in own and _may_create(user, _expanded(image, step.text)):
                return (
                    f"line {step.line} makes it in another stage",
                    "Which stage does the app run in, and what of another one comes along?",
                )
    for step in own:
        for part in re.split("[;&|]", _expanded(image, step.text)):
            if (maker := _MAKER.search(part)) and (words := part[maker.end() :].split()):
                return (
                    f"line {step.line} makes {words[-1]}",
                    "Compare the two names, letter by letter.",
                )
    return "no RUN line makes one", "Which line of yours makes that user, and in which way?"


def _steps_of(stage: BuildStage | None) -> Iterator[RunStep]:
    """Yield what was run in a stage and in those that it continues."""
    while stage is not None:
        yield from stage.steps
        stage = stage.parent


def _may_create(user: str, command: str) -> bool:
    """Whether a RUN line may make that user: by the usual programs, by hand, or by a script."""
    word = re.compile(rf"(?<![\w./:@-]){re.escape(user)}(?![\w./-])")
    for part in re.split("[;&|]", command):
        maker = _MAKER.search(part)
        if maker and word.search(part, maker.end()):
            return True
    return bool(re.search(r"/etc/passwd|sysusers|\.sh\b", command) and word.search(command))


def _expanded(image: Image, text: str) -> str:
    """Return a RUN line's text with the variables that the build knows put in."""
    known = {name: value for stage in image.stages for name, value in stage.args.items()}
    known |= {name: value for stage in image.stages for name, value in stage.env.items()}
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], found[0]), text)
