"""A YAML file, read strictly, each value with its path and its line.

ruamel.yaml reads it: of the two parsers in wide use it is the one that refuses a key that is
there twice (PyYAML silently keeps the last) and that knows the line of every key. Tags are not
obeyed, and an anchor stands for what it names, as in any YAML file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from ml_api_lab.errors import SubmissionFault

_MAX_LENGTH = 16_000
_MAX_BRACKETS = 500
"""How many brackets and braces may be opened: the parser looks at all open ones for each value."""

_MAX_VALUES = 20_000


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


class _PlainKeys(Composer):
    """Refuses a key that is itself a mapping or a list.

    To look for such a key, its own keys are looked at twice, and theirs four times: twenty levels
    would take hours.
    """

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        node: MappingNode = super().compose_mapping_node(anchor)
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise ComposerError(None, None, "a key is a mapping or a list", key.start_mark)
        return node


@dataclass(frozen=True)
class Node:
    """A value of the file, or the place where one is missing.

    Attributes:
        value: a mapping, a list, a scalar, or MISSING.
        path: how one gets there: "spec.containers[0].image"; "" for the whole file.
        line: the line where it begins, that of the nearest value above if it is missing.
    """

    value: Any
    path: str
    line: int

    @property
    def missing(self) -> bool:
        """Whether there is no such value, or an empty one."""
        return self.value is MISSING or self.value is None

    @property
    def where(self) -> str:
        """The place as a sentence names it."""
        name = self.path or "the file"
        return name if self.value is MISSING else f"{name} (line {self.line})"

    @property
    def text(self) -> str:
        """A scalar's value as text."""
        return "" if self.missing else str(self.value)

    def get(self, *keys: str) -> Node:
        """Return the value at the end of these keys."""
        node = self
        for key in keys:
            node = node._child(key)
        return node

    def _child(self, key: str) -> Node:
        path = f"{self.path}.{_quoted(key)}" if self.path else _quoted(key)
        if not isinstance(self.value, dict) or key not in self.value:
            return Node(MISSING, path, self.line)
        return Node(self.value[key], path, _line_of_key(self.value, key, self.line))

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield the keys of a mapping with their values; nothing if it is none."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield str(key), self._child(key)

    def elements(self) -> Iterator[Node]:
        """Yield the values of a list; nothing if it is none."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                line = _line_of_item(self.value, index, self.line)
                yield Node(value, f"{self.path}[{index}]", line)


def read(text: str, name: str) -> Node:
    """Return the one document of a YAML file.

    Args:
        text: the file's content.
        name: what to call the file.

    Raises:
        SubmissionFault: it is not YAML, has a key twice, or holds several documents.
    """
    if len(text) > _MAX_LENGTH:
        raise SubmissionFault(f"{name} is larger than any such file needs to be.")
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise SubmissionFault(f"{name} has more lists and mappings than any such file needs.")
    yaml = YAML(typ="rt")
    yaml.Composer = _PlainKeys
    try:
        documents = list(yaml.load_all(text))
    except DuplicateKeyError as error:
        key = str(error.problem).partition('"')[2].partition('"')[0]
        raise SubmissionFault(
            f"{name} has the key {key} twice in one place (line {_line(error)}); only one of them "
            "would count."
        ) from None
    except MarkedYAMLError as error:
        raise SubmissionFault(f"{name} is not valid YAML: {_problem_text(error, text)}.") from None
    except RecursionError:
        raise SubmissionFault(f"{name} is nested too deeply to be read.") from None
    except Exception as error:  # whatever the parser raises, it is the text that is wrong
        first = str(error).strip().splitlines()
        raise SubmissionFault(
            f"{name} is not valid YAML: {first[0] if first else 'it cannot be read'}."
        ) from None
    documents = [each for each in documents if each is not None]
    _limit_values(documents, name)
    if len(documents) > 1:
        raise SubmissionFault(
            f"{name} holds {len(documents)} documents (--- begins each); one file describes one "
            "service."
        )
    return Node(documents[0] if documents else MISSING, "", 1)


def _problem_text(error: MarkedYAMLError, text: str) -> str:
    """Return what is wrong and where, in words that need no manual of YAML."""
    line = _line(error)
    problem = str(error.problem or error.context or "it cannot be read").rstrip(".")
    lines = text.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\\t" in problem or "\t" in shown[: len(shown) - len(shown.lstrip())]:
        problem = "a tab stands where only spaces may indent"
    elif "mapping values are not allowed" in problem:
        problem = "a colon stands where none can, mostly because the line is indented too far"
    return f"{problem} (line {line})"


def _line(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark is not None else 1


def _limit_values(documents: list[Any], name: str) -> None:
    """Refuse what grows without end through its anchors."""
    left = _MAX_VALUES
    waiting: list[Any] = list(documents)
    while waiting:
        value = waiting.pop()
        left -= 1
        if left < 0:
            raise SubmissionFault(f"{name} comes to more values than any such file needs.")
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _quoted(key: object) -> str:
    text = str(key)
    return f"'{text}'" if "." in text or "/" in text else text


def _line_of_key(mapping: Any, key: Any, near: int) -> int:
    try:
        return int(mapping.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return near


def _line_of_item(items: Any, index: int, near: int) -> int:
    try:
        return int(items.lc.item(index)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return near
