"""Deployment files of the two platforms: what both have in common, and how findings are worded.

A finding is one sentence with the path inside the file: what was seen, what is right. Field names
and their meanings are the platforms' published ones; :mod:`checks.task_5_2.cloud_run` and
:mod:`checks.task_5_2.container_app` say where.
"""

from __future__ import annotations

import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from ml_api_lab.yaml_file import Node, read

PORT = 8080
HEALTH = "/health"
WITHOUT_QUOTES = "right is a whole number without quotes."

# A shape is a dict of fields, a list with the shape of its elements, or one of these two.
SCALAR = "scalar"
ANY = "any"
Shape = Any

TEXTS = [SCALAR]
HEADERS = [{"name": SCALAR, "value": SCALAR}]


def scalars(*names: str) -> dict[str, Shape]:
    """Return the shape of a mapping with these fields, each a single value."""
    return dict.fromkeys(names, SCALAR)


PROBE_NUMBERS = scalars(
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "terminationGracePeriodSeconds",
)


class Platform(ABC):
    """A deployment file, and what is wrong with it: what both platforms have in common.

    Every method that yields yields findings; none is right. `fields` asks for the platform's fields
    in their places; the others judge what a misplaced field says, too (see `field` and `entries`).

    Attributes:
        file: the name of the deployment file.
        root: the document in it.
    """

    file: str
    description: str
    shape: Shape

    def __init__(self, text: str) -> None:
        self.root = read(text, self.file)

    def fields(self) -> Iterator[str]:
        """Yield what is no field of the platform's."""
        if self.root.missing:
            yield f"{self.file} says nothing yet; right is {self.description}."
            return
        yield from self.shape_findings(self.root, self.shape)

    def image(self) -> Iterator[str]:
        """Yield what is wrong with the name of the image."""
        node = self.field(self.container, "image")
        if node.missing:
            yield f"{node.where} is missing; right is the name of the image to run."
        elif not isinstance(node.value, str) or not re.fullmatch(r"[\w.:/@${}<>-]+", node.value):
            yield f"{node.where} is {node.text!r}; right is the name of an image, with its tag."

    @property
    @abstractmethod
    def container(self) -> Node:
        """The container that serves the app."""

    @property
    @abstractmethod
    def containers(self) -> list[Node]:
        """All containers of an instance; one of them serves the app."""

    @abstractmethod
    def probes_of(self, container: Node) -> list[Node]:
        """Return the probes of a container."""

    @abstractmethod
    def port(self) -> Iterator[str]:
        """Yield what keeps requests from the port where the app listens."""

    @abstractmethod
    def secret(self) -> Iterator[str]:
        """Yield what keeps the API key from coming out of the platform's secrets."""

    @abstractmethod
    def probes(self) -> Iterator[str]:
        """Yield what keeps the platform from asking whether the app still answers."""

    @abstractmethod
    def limits(self) -> Iterator[str]:
        """Yield what is wrong with the limits of CPU and memory."""

    @abstractmethod
    def instances(self) -> Iterator[str]:
        """Yield what is wrong with the least and the greatest number of instances."""

    @abstractmethod
    def concurrency(self) -> Iterator[str]:
        """Yield what is wrong with the number of requests that one instance takes at once."""

    def field(self, mapping: Node, name: str) -> Node:
        """Return a field of a mapping, or where it is missing the one that was meant to be it.

        That one stands where the platform knows no such field, or is written in other letters.
        `fields` refuses it.
        """
        usual = mapping.get(name)
        if not usual.missing:
            return usual
        strays = _unknown_fields(self.root, self.shape)
        meant = (node for spelling, node in strays if spelling.lower() == name.lower())
        return next(meant, usual)

    def key_entries(self) -> Iterator[Node]:
        """Yield the entries for API_KEY among the variables of all containers."""
        for container in self.containers:
            yield from _key_entries(container)

    def exposed_key(self) -> Iterator[str]:
        """Yield where the key stands in the open, or that there is none."""
        for container in self.containers:
            for name in ("command", "args"):
                for word in entries(container.get(name)):
                    # An expansion is no key: API_KEY=$API_KEY.
                    if re.search(r"API_KEY=(?![\"']?\$)", word.text):
                        yield (
                            f"{word.where} holds the key itself; right is a reference to a secret."
                        )
            for probe in self.probes_of(container):
                for header in entries(probe.get("httpGet", "httpHeaders")):
                    if header.get("name").text.lower() == "x-api-key":
                        yield (
                            f"{header.where} holds the key itself; right is to leave it out, "
                            f"because {HEALTH} is open to everyone."
                        )
        if not _key_entries(self.container):
            yield (
                f"{self.container.get('env').where} has no API_KEY; right is one whose value "
                "comes from the platform's secrets."
            )

    def shape_findings(self, node: Node, shape: Shape) -> Iterator[str]:
        """Yield what in a node does not have that shape."""
        if shape == ANY or node.value is None:
            return
        if isinstance(shape, dict):
            if not isinstance(node.value, dict):
                yield f"{node.where} is {kind_of(node)}; right is a mapping: {', '.join(shape)}."
                return
            for name, child in node.items():
                if name in shape:
                    yield from self.shape_findings(child, shape[name])
                else:
                    suggestion = self._suggestion(name, child.path, shape)
                    yield f"{child.where} is no field there{suggestion}."
        elif isinstance(shape, list):
            if not isinstance(node.value, list):
                yield f"{node.where} is {kind_of(node)}; right is a list, each entry behind a dash."
            for element in node.elements():
                yield from self.shape_findings(element, shape[0])
        elif isinstance(node.value, dict | list):
            yield f"{node.where} is {kind_of(node)}; right is a single value."

    def _suggestion(self, name: str, path: str, shape: dict[str, Shape]) -> str:
        """Return what somebody may have meant who wrote that name there, for a sentence."""
        same = [each for each in shape if each.lower() == name.lower()]
        if near := same or difflib.get_close_matches(name, shape, 1):
            return f"; right is {near[0]}"
        inner = [
            each for each, fields in shape.items() if isinstance(fields, dict) and name in fields
        ]
        if inner:
            return f"; it belongs one level deeper, in {inner[0]}"
        if longer := [each for each in shape if each.lower().endswith(name.lower())]:
            return f"; right is {longer[0]}"
        places = [place for place in _field_paths(self.shape, "") if place.split(".")[-1] == name]
        if not places:
            return ""
        nearest = max(places, key=lambda place: _common_steps(place.split("."), path.split(".")))
        return f"; it belongs in {nearest.rpartition('.')[0]}"

    def integer_findings(self, node: Node, least: int, most: int, right: str) -> Iterator[str]:
        """Yield what is wrong with a whole number."""
        if node.missing:
            yield f"{node.where} is missing; right is {right}."
        elif type(node.value) is bool or not isinstance(node.value, int):
            yield f"{node.where} is {kind_of(node)}; {WITHOUT_QUOTES}"
        elif not least <= node.value <= most:
            yield f"{node.where} is {node.value}; right is {right}."

    def quantity_findings(self, node: Node, pattern: str, right: str) -> Iterator[str]:
        """Yield what is wrong with a value that must look like that pattern."""
        if node.missing:
            yield f"{node.where} is missing; right is {right}."
        elif isinstance(node.value, bool) or not re.fullmatch(pattern, node.text):
            yield f"{node.where} is {node.text!r}; right is {right}."

    def probe_findings(self, probe: Node) -> Iterator[str]:
        """Yield what keeps a probe from asking the app for its health."""
        get = probe.get("httpGet")
        if get.missing:
            yield f"{get.where} is missing, so the probe does not ask the app; right is {HEALTH}."
            return
        path = get.get("path")
        if path.missing:
            yield f"{path.where} is missing; right is {HEALTH}."
        elif path.value != HEALTH:
            yield f"{path.where} is {path.text}; right is {HEALTH}, which needs no key."
        port = get.get("port")
        if not port.missing and port.value != PORT:
            yield f"{port.where} is {port.text}; right is {PORT}, where the app listens."


def _key_entries(container: Node) -> list[Node]:
    variables = entries(container.get("env"))
    return [each for each in variables if each.get("name").value == "API_KEY"]


def entries(node: Node) -> list[Node]:
    """Return a list's entries; a mapping in place of the list, which `fields` refuses, is one."""
    return [node] if isinstance(node.value, dict) else list(node.elements())


def _unknown_fields(node: Node, shape: Shape) -> Iterator[tuple[str, Node]]:
    """Yield the fields that the platform does not know in their places, with their names."""
    if isinstance(shape, dict):
        for name, child in node.items():
            if name in shape:
                yield from _unknown_fields(child, shape[name])
            else:
                yield name, child
    elif isinstance(shape, list):
        for element in entries(node):
            yield from _unknown_fields(element, shape[0])


def kind_of(node: Node) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        return f"the text {node.value!r}"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return f"the number {node.value}"


def _common_steps(one: list[str], other: list[str]) -> int:
    """Return how many steps two paths have in common from their beginning."""
    matches = [mine == theirs for mine, theirs in zip(one, other, strict=False)]
    return [*matches, False].index(False)


def _field_paths(shape: Shape, path: str) -> Iterator[str]:
    """Yield the paths of all fields, those nearest the top first."""
    pending = [(shape, path)]
    while pending:
        each, path = pending.pop(0)
        if isinstance(each, list):
            pending.append((each[0], f"{path}[0]"))
        elif isinstance(each, dict):
            for name, inner in each.items():
                place = f"{path}.{name}" if path else name
                yield place
                pending.append((inner, place))
