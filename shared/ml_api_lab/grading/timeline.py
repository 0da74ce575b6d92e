"""Time lines: what happened when, drawn to scale as SVG and told as text.

A time line has panels, a panel has lanes, a lane has bars (something that took a while) and marks
(something that took no time). All times are lab time, in nanoseconds since the time line's start.

The picture stands alone: it needs no script, no font and no file beside it, follows the reader's
light or dark scheme, and carries its text alternative with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from html import escape
from typing import TYPE_CHECKING

from ml_api_lab.lab_time import NS, Span
from ml_api_lab.sanitize import sanitize

if TYPE_CHECKING:
    from ml_api_lab.sandbox.transcript import Transcript


class Tone(Enum):
    """What a bar stands for; the value is its text in the legend."""

    UNDER_WAY = "under way"
    FREE = "waits, and lets others run"
    BLOCKING = "waits, and lets nothing else run"
    HELD_UP = "held up"
    BEHIND = "works after the answer"
    KEPT = "kept in the cache"

    @property
    def css(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True)
class Bar:
    """Something that took from `start` to `end`."""

    start: int
    end: int
    label: str = ""
    tone: Tone = Tone.UNDER_WAY

    def __str__(self) -> str:
        when = f"from {Span(self.start)} to {Span(self.end)}"
        if self.start == self.end:
            when = f"at {Span(self.start)}"
        tone = "" if self.tone is Tone.UNDER_WAY else f"({self.tone.value})"
        return " ".join(filter(None, [self.label, when, tone]))


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment."""

    at: int
    label: str = ""

    def __str__(self) -> str:
        return f"{self.label} at {Span(self.at)}" if self.label else str(Span(self.at))


@dataclass(frozen=True)
class Lane:
    """One row: a name, and what happened there."""

    name: str
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()

    def __str__(self) -> str:
        told = "; ".join(map(str, [*self.bars, *self.marks]))
        return f"{self.name}: {told or 'none'}."


@dataclass(frozen=True)
class Panel:
    """ParallelTrials that belong together, with a heading if there are several panels."""

    lanes: tuple[Lane, ...]
    heading: str = ""

    def __str__(self) -> str:
        return " ".join([f"{self.heading}." if self.heading else "", *map(str, self.lanes)]).strip()


@dataclass(frozen=True)
class TimeLine:
    """What happened in one run, or in several to compare.

    Attributes:
        until: how far the scale goes at least, so that pictures beside each other can share one.
    """

    title: str
    panels: tuple[Panel, ...]
    until: int = 0

    @property
    def description(self) -> str:
        """All that the picture shows, as text."""
        return " ".join([f"{self.title}.", *map(str, self.panels)])

    @property
    def lanes(self) -> list[Lane]:
        return [lane for panel in self.panels for lane in panel.lanes]

    @property
    def tones(self) -> list[Tone]:
        """The tones that want an explanation, in the order of the legend."""
        used = {bar.tone for lane in self.lanes for bar in lane.bars}
        return [tone for tone in Tone if tone in used - {Tone.UNDER_WAY}]

    @property
    def end(self) -> int:
        """When the scale ends; at least a nanosecond, so that there is one."""
        ends = [bar.end for lane in self.lanes for bar in lane.bars]
        return max(*ends, *(mark.at for lane in self.lanes for mark in lane.marks), self.until, 1)


_MAX_LANES = 24
_MAX_MARKS = 200


def of_transcript(transcript: Transcript, title: str) -> TimeLine:
    """Return the time line of one check: a lane for each request, each kind of event one as well.

    Requests that are alike and sent at the same moment share a lane, and so do all that there is
    no room for: the picture of a check that sends a thousand stays as small as a picture is.
    """
    exchanges = transcript.requests
    notes = [at for at, entry in transcript.entries if isinstance(entry, str)]
    moments = {
        "noted": [Mark(at) for at in dict.fromkeys(notes)],
        "printed": [Mark(at) for at in dict.fromkeys(line.at for line in transcript.lines)],
        "raised": [Mark(each.at, sanitize(each.type[:80])) for each in transcript.raised],
    }
    last = max(
        [each.answered or each.sent for each in exchanges]
        + [mark.at for marks in moments.values() for mark in marks]
        + [0]
    )
    grouped: dict[tuple[str, int], list[Bar]] = {}
    for each in exchanges:
        name = sanitize(f"{each.method} {each.target}"[:200])
        bar = Bar(each.sent, last, "no answer", Tone.HELD_UP)
        if each.answered is not None:
            bar = Bar(each.sent, each.answered, str(each.status))
        grouped.setdefault((name, each.sent), []).append(bar)
    lanes = [
        Lane(name if len(bars) == 1 else f"{len(bars)} x {name}", tuple(dict.fromkeys(bars)))
        for (name, _), bars in grouped.items()
    ]
    if len(lanes) > _MAX_LANES:
        rest = lanes[_MAX_LANES - 1 :]
        bars = dict.fromkeys(replace(bar, label="") for lane in rest for bar in lane.bars)
        more = sum(len(each) for each in list(grouped.values())[_MAX_LANES - 1 :])
        lanes[_MAX_LANES - 1 :] = [Lane(f"{more} more requests", tuple(bars)[:_MAX_MARKS])]
    lanes += [Lane(name, marks=tuple(each[:_MAX_MARKS])) for name, each in moments.items() if each]
    return TimeLine(title, (Panel(tuple(lanes)),))


_WIDTH = 800
_MARGIN = 16
_ROW = 30
_BAR = 20
_TITLE = 44
_AXIS = 30
_LETTER = 7.2  # the width of a letter at 13 px, generously
_NAMES = (90, 300)  # the least and the most room for the lanes' names

# Background and letters of each tone, in the light scheme and in the dark one.
_LIGHT = {
    Tone.UNDER_WAY: ("#b6e3ff", "#0a3069"),
    Tone.FREE: ("#b6e3ff", "#0a3069"),
    Tone.BLOCKING: ("#ffb77c", "#471700"),
    Tone.HELD_UP: ("#ffcecb", "#6e011a"),
    Tone.BEHIND: ("#aceebb", "#02330f"),
    Tone.KEPT: ("#eddeff", "#3e1f79"),
}
_DARK = {
    Tone.UNDER_WAY: ("#0c4a8f", "#e6f3ff"),
    Tone.FREE: ("#0c4a8f", "#e6f3ff"),
    Tone.BLOCKING: ("#8a4600", "#ffeedd"),
    Tone.HELD_UP: ("#7d1a22", "#ffe5e3"),
    Tone.BEHIND: ("#0f5323", "#dcffe4"),
    Tone.KEPT: ("#4c2889", "#f5ebff"),
}
_PAPER = {"light": ("#ffffff", "#1f2328", "#59636e"), "dark": ("#0d1117", "#e6edf3", "#9198a1")}
_GRID = {"light": "#d1d9e0", "dark": "#3d444d"}


def svg(line: TimeLine, *, prefix: str | None = None) -> str:
    """Draw a time line, 800 units wide.

    Args:
        prefix: for a picture among others in a page, which has `STYLE` once: what its ids begin
            with. Without it the picture brings the style itself.

    Returns:
        A whole SVG document, the same one for the same time line.
    """
    return "\n".join(_Drawing(line, prefix).document()) + "\n"


class _Drawing:
    """Places the parts of one picture."""

    def __init__(self, line: TimeLine, prefix: str | None) -> None:
        self._line = line
        self._is_alone = prefix is None
        self._prefix = prefix or ""
        longest = max((len(lane.name) for lane in line.lanes), default=0)
        least, most = _NAMES
        self._left = _MARGIN + min(max(longest * _LETTER, least), most) + 10
        # Room on the right for a label that does not fit into the last bar.
        self._right = _WIDTH - _MARGIN - 70
        self._step = _step(line.end)
        self._span = math.ceil(line.end / self._step) * self._step

    def document(self) -> Iterator[str]:
        body: list[str] = []
        top = _TITLE
        for panel in self._line.panels:
            if panel.heading:
                body.append(f'<text class="heading" x="{_MARGIN}" y="{top + 20}">')
                body.append(f"{escape(panel.heading)}</text>")
                top += _ROW
            for lane in panel.lanes:
                body += self._lane(lane, top)
                top += _ROW
        axis = top
        top += _AXIS
        legend = self._legend(top)
        height = top + (_ROW if legend else 0) + 6
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img" '
            f'aria-labelledby="{self._prefix}title {self._prefix}desc">'
        )
        yield f'<title id="{self._prefix}title">{escape(self._line.title)}</title>'
        yield f'<desc id="{self._prefix}desc">{escape(self._line.description)}</desc>'
        if self._is_alone:
            yield f"<style>{STYLE}</style>"
        yield (
            f'<rect class="paper" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" '
            'rx="6"/>'
        )
        yield f'<text class="title" x="{_MARGIN}" y="28">{escape(self._line.title)}</text>'
        yield from self._axis(axis)
        yield from body
        yield from legend
        yield "</svg>"

    def _x(self, moment: int) -> float:
        return self._left + (self._right - self._left) * moment / self._span

    def _axis(self, bottom: int) -> Iterator[str]:
        for number in range(self._span // self._step + 1):
            moment = number * self._step
            x = _number(self._x(moment))
            yield f'<path class="grid" d="M{x} {_TITLE - 4}V{bottom + 4}"/>'
            yield f'<text class="tick" x="{x}" y="{bottom + 20}">{Span(moment)}</text>'

    def _lane(self, lane: Lane, top: int) -> Iterator[str]:
        base = top + _ROW / 2 + 4.5
        yield f'<text x="{_MARGIN}" y="{_number(base)}">{escape(_fitted(lane.name))}</text>'
        for bar in lane.bars:
            yield from self._bar(bar, top, base)
        for mark in lane.marks:
            x = self._x(mark.at)
            yield f'<circle class="mark" cx="{_number(x)}" cy="{_number(top + _ROW / 2)}" r="4"/>'
            if mark.label:
                yield f'<text x="{_number(x + 9)}" y="{_number(base)}">{escape(mark.label)}</text>'

    def _bar(self, bar: Bar, top: int, base: float) -> Iterator[str]:
        start, end = self._x(bar.start), self._x(bar.end)
        middle = top + _ROW / 2
        if bar.end == bar.start:
            x, y = _number(start), _number(middle)
            yield f'<path class="{bar.tone.css}" d="M{x} {y}m-6 0l6 -6l6 6l-6 6z"/>'
        else:
            x, y = _number(start), _number(middle - _BAR / 2)
            width = _number(end - start)
            yield (
                f'<rect class="{bar.tone.css}" x="{x}" y="{y}" width="{width}" height="{_BAR}" '
                'rx="3"/>'
            )
        if not bar.label:
            return
        label, y = escape(bar.label), _number(base)
        if end - start >= len(bar.label) * _LETTER + 8:
            x = _number(start + 7)
            yield f'<text class="{bar.tone.css}-label" x="{x}" y="{y}">{label}</text>'
        else:
            yield f'<text x="{_number(end + 9)}" y="{y}">{label}</text>'

    def _legend(self, top: int) -> list[str]:
        drawn = []
        x = float(_MARGIN)
        for tone in self._line.tones:
            drawn.append(
                f'<rect class="{tone.css}" x="{_number(x)}" y="{top + 6}" width="16" height="16" '
                'rx="3"/>'
            )
            drawn.append(f'<text x="{_number(x + 23)}" y="{top + 19}">{escape(tone.value)}</text>')
            x += 23 + len(tone.value) * _LETTER + 14
        return drawn


def _style() -> str:
    common = (
        'text{font:13px -apple-system,"Segoe UI",Helvetica,Arial,sans-serif}'
        ".title{font-size:15px;font-weight:600}.heading{font-weight:600}"
        ".tick{text-anchor:middle;font-size:12px}.grid{stroke-width:1;fill:none}"
        ".held-up{stroke-dasharray:4 3}"
    )
    return (
        common
        + _scheme("light", _LIGHT)
        + "@media(prefers-color-scheme:dark){"
        + _scheme("dark", _DARK)
        + "}"
    )


def _scheme(name: str, tones: dict[Tone, tuple[str, str]]) -> str:
    paper, ink, faint = _PAPER[name]
    rules = [
        f".paper{{fill:{paper};stroke:{_GRID[name]}}}text{{fill:{ink}}}.tick{{fill:{faint}}}",
        f".grid{{stroke:{_GRID[name]}}}.mark{{fill:{ink}}}",
    ]
    for tone, (back, letters) in tones.items():
        rules.append(f".{tone.css}{{fill:{back};stroke:{letters}}}")
        rules.append(f".{tone.css}-label{{fill:{letters}}}")
    return "".join(rules)


STYLE = _style()
"""How the parts of all pictures look, as CSS."""


def _step(end: int) -> int:
    """Return the distance of the axis's ticks: at most twelve of them, at round numbers."""
    unit = NS // 1000
    while end > 60 * unit:
        unit *= 10
    return next(step for step in (unit, 2 * unit, 5 * unit) if end <= 12 * step)


def _fitted(name: str) -> str:
    letters = int(_NAMES[1] / _LETTER)
    return name if len(name) <= letters else name[: letters - 1] + "…"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
