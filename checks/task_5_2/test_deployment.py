"""Task 5.2: the deployment file, against the platform's published fields."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from checks.task_5_2.cloud_run import CloudRun
from checks.task_5_2.container_app import ContainerApp
from checks.task_5_2.platforms import WITHOUT_QUOTES, Platform
from ml_api_lab.check import Hinted, SubmissionFault, Task, points

_HINTS = {
    WITHOUT_QUOTES: "How does YAML write a number, and how does it write a text?",
    "an annotation is text": "How does YAML write a text that looks like a number?",
    "is no field there; right is": "Compare the two names, letter by letter.",
    "is no field there; it belongs": (
        "How many spaces stand before this line, and how many before those that it belongs beside?"
    ),
    "each entry behind a dash": "Where does an entry of a list begin, in YAML?",
    "has no secret of": "Compare the two names, letter by letter.",
    "has no API_KEY": "Which variable does your app read its key from, letter by letter?",
    "less than the minimum": "Which of the two numbers is the least, and which the greatest?",
    "has no effect there": "What do these two set: the service, or each revision of it?",
}
"""What to ask, by what a finding says."""

_MOST_FILES = 8
"""How many files are kept once they have been read: all checks of a submission judge the same."""


@points(2, hint="Compare the file, level by level, with the reference of your platform.")
async def test_fields_are_the_platforms(task: Task) -> None:
    """The file is one document of fields that the platform knows."""
    platform = _platform(task)
    _expect_none(platform.fields())


@points(1, hint="What is it that the platform shall run, and where does it lie?")
async def test_names_an_image(task: Task) -> None:
    """It names the image."""
    platform = _platform(task)
    _expect_none(platform.image())


@points(1, hint="Where does your container listen when nobody tells it otherwise?")
async def test_port_is_8080(task: Task) -> None:
    """Requests go to port 8080."""
    platform = _platform(task)
    _expect_none(platform.port())


@points(2, hint="Who may read this file, and who may use the API?")
async def test_key_comes_from_the_platforms_secrets(task: Task) -> None:
    """The key comes from the platform's secrets, and is nowhere in the file."""
    platform = _platform(task)
    _expect_none(platform.secret())


@points(1, hint="How can the platform know that the app in a container still answers?")
async def test_probes_ask_for_health(task: Task) -> None:
    """There is a probe, and every probe asks for /health."""
    platform = _platform(task)
    _expect_none(platform.probes())


@points(1, hint="How much of a machine may one instance take?")
async def test_cpu_and_memory_are_limited(task: Task) -> None:
    """CPU and memory have limits."""
    platform = _platform(task)
    _expect_none(platform.limits())


@points(1, hint="What could a thousand visitors cost you, and what does nobody at all cost you?")
async def test_instances_have_a_minimum_and_a_maximum(task: Task) -> None:
    """The number of instances has a minimum and a maximum."""
    platform = _platform(task)
    _expect_none(platform.instances())


@points(1, hint="How many predictions can one instance work on at once?")
async def test_requests_per_instance_are_bounded(task: Task) -> None:
    """The number of requests that one instance takes at once is bounded."""
    platform = _platform(task)
    _expect_none(platform.concurrency())


def _platform(task: Task) -> Platform:
    """Return the file to judge: containerapp.yaml if something is in it, else service.yaml."""
    kind: type[Platform] = CloudRun
    if task.files.exists(ContainerApp.file):
        text = task.files.text(ContainerApp.file)
        if not task.files.exists(CloudRun.file) or _has_content(text):
            kind = ContainerApp
    text = task.files.text(kind.file)
    try:
        return _read(kind, text)
    except SubmissionFault as fault:
        if "(line " not in str(fault):
            raise
        raise Hinted(str(fault), _yaml_hint(str(fault))) from None


@lru_cache(maxsize=_MOST_FILES)
def _read(kind: type[Platform], text: str) -> Platform:
    return _with_fields(kind(text))


def _yaml_hint(fault: str) -> str:
    """Return what to look at where a file is not valid YAML, by what its reader says."""
    if "alias" in fault:
        return "An alias, *name, stands for what an anchor, &name, has marked. Where is that?"
    if "<stream end>" in fault:
        return "Which bracket, brace or quote is opened and never closed?"
    before = "" if "(line 1)" in fault else ", and at the one before it"
    return f"Look at that line from its first character on{before}."


def _with_fields(platform: Platform) -> Platform:
    """Return it, if it is more than a text, a number or a list: nothing can be asked of those."""
    found = platform.root.value
    if not platform.root.missing and not isinstance(found, dict):
        kind = "a list" if isinstance(found, list) else f"{found!r}"
        raise SubmissionFault(
            f"{platform.file} holds {kind}, and no fields; right is {platform.description}."
        )
    return platform


def _has_content(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith(("#", "---")) for line in lines)


def _expect_none(findings: Iterator[str]) -> None:
    first = next(findings, None)
    if first is None:
        return
    for part, hint in _HINTS.items():
        if part in first:
            raise Hinted(first, hint)
    raise AssertionError(first)
