"""Pages as a browser's parser sees them: their elements, and the text of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_EMPTY = {"meta", "link", "br", "hr", "input", "img", "rect", "path", "circle"}


@dataclass
class Element:
    """An element.

    Attributes:
        text: all text in it.
    """

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, tag: str, css_class: str = "") -> list[Element]:
        """Return the elements below of that tag, and of that class if one is given."""
        found = [each for each in self.children if each.tag == tag]
        found = [each for each in found if not css_class or css_class in each.classes]
        return found + [each for child in self.children for each in child.all(tag, css_class)]

    @property
    def shape(self) -> tuple[object, ...]:
        """What there is of elements and the names of their attributes, without any text."""
        names = tuple(sorted(self.attributes))
        return (self.tag, names, tuple(each.shape for each in self.children))


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        closed = self._open.pop()
        assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def parse(text: str) -> Element:
    """Return the root of a page; AssertionError if an element is not closed where it must be."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert parser._open == [parser.root], f"<{parser._open[-1].tag}> is not closed"
    return parser.root
