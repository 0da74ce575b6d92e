"""Time lines: their text, their scale, and that they stand for what was recorded."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ml_api_lab.grading.timeline import (
    STYLE,
    Bar,
    Lane,
    Mark,
    Panel,
    TimeLine,
    Tone,
    of_transcript,
    svg,
)
from ml_api_lab.lab_time import Span, milliseconds, seconds
from ml_api_lab.sandbox.transcript import Raised, Transcript


def one_lane(*bars: Bar, marks: tuple[Mark, ...] = (), until: int = 0) -> TimeLine:
    return TimeLine("Title", (Panel((Lane("lane", bars, marks),)),), until)


def elements(line: TimeLine, tag: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg(line))
    return [each for each in root.iter() if each.tag.endswith(f"}}{tag}")]


def bars(line: TimeLine) -> list[tuple[float, float]]:
    """Return where each bar begins and how wide it is."""
    return [
        (float(each.attrib["x"]), float(each.attrib["width"]))
        for each in elements(line, "rect")
        if each.attrib["height"] == "20"
    ]


def ticks(line: TimeLine) -> dict[str, float]:
    return {
        each.text or "": float(each.attrib["x"])
        for each in elements(line, "text")
        if each.attrib.get("class") == "tick"
    }


def test_it_is_to_scale() -> None:
    line = one_lane(Bar(0, seconds(3)), Bar(seconds(3), seconds(9)))
    (first, wide), (second, wider) = bars(line)
    scale = ticks(line)
    assert first == scale["0 s"]
    assert second == scale["3 s"]
    assert wider == pytest.approx(2 * wide, abs=0.2)
    assert second + wider == pytest.approx(scale["9 s"], abs=0.2)


@pytest.mark.parametrize(
    ("end", "last", "most"),
    [(seconds(10), "10 s", 12), (seconds(0.25), "0.25 s", 12), (seconds(100), "100 s", 12)],
)
def test_its_ticks_are_few_and_round(end: int, last: str, most: int) -> None:
    shown = list(ticks(one_lane(Bar(0, end))))
    assert shown[0] == "0 s"
    assert shown[-1] == last
    assert len(shown) <= most


def test_two_pictures_can_share_a_scale() -> None:
    short, long = one_lane(Bar(0, seconds(7)), until=seconds(10)), one_lane(Bar(0, seconds(10)))
    assert ticks(short) == ticks(long)


def test_nothing_at_all_can_be_drawn() -> None:
    line = TimeLine("Nothing", (Panel((Lane("lane"),)),))
    assert line.description == "Nothing. lane: none."
    assert next(iter(ticks(line))) == "0 s"


def test_it_tells_all_that_it_shows() -> None:
    panel = Panel(
        (
            Lane("first", (Bar(0, seconds(2), "200", Tone.HELD_UP), Bar(seconds(3), seconds(3)))),
            Lane("second", marks=(Mark(milliseconds(1500)), Mark(seconds(2), "here"))),
        ),
        "Heading",
    )
    line = TimeLine("Title", (panel,))
    assert line.description == (
        "Title. Heading. first: 200 from 0 s to 2 s (held up); at 3 s. second: 1.5 s; here at 2 s."
    )
    shown = "".join(ElementTree.fromstring(svg(line)).itertext())
    for word in ("Title", "Heading", "first", "second", "200", "here", "held up"):
        assert word in shown
    assert [each.text for each in elements(line, "desc")] == [line.description]


def test_only_tones_that_want_a_word_are_in_the_legend() -> None:
    assert one_lane(Bar(0, 1)).tones == []
    assert one_lane(Bar(0, 1, tone=Tone.KEPT), Bar(0, 1, tone=Tone.FREE)).tones == [
        Tone.FREE,
        Tone.KEPT,
    ]


def test_each_tone_has_a_colour_in_both_schemes() -> None:
    style = elements(one_lane(Bar(0, 1)), "style")[0].text or ""
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    for tone in Tone:
        for scheme in (light, dark):
            assert re.search(rf"\.{tone.css}{{fill:#\w+;stroke:#\w+}}", scheme), tone


def test_a_label_stands_in_its_bar_if_it_fits() -> None:
    line = one_lane(Bar(0, seconds(5), "inside"), Bar(seconds(9), seconds(9.1), "outside"))
    placed = {each.text: float(each.attrib["x"]) for each in elements(line, "text")}
    (first, wide), (second, narrow) = bars(line)
    assert first < placed["inside"] < first + wide
    assert placed["outside"] > second + narrow


def test_what_it_is_given_cannot_break_out() -> None:
    line = TimeLine("<b>&", (Panel((Lane("<script>", (Bar(0, 1, '"<i>'),)),), "</svg>"),))
    assert elements(line, "script") == elements(line, "b") == elements(line, "i") == []


def test_a_long_name_is_cut() -> None:
    names = [each.text or "" for each in elements(one_lane_named("x" * 200), "text")]
    assert max(len(name) for name in names) < 50


def one_lane_named(name: str) -> TimeLine:
    return TimeLine("Title", (Panel((Lane(name, (Bar(0, 1),)),)),))


def test_a_transcript_becomes_a_lane_for_each_request_and_one_for_the_output() -> None:
    transcript = Transcript(Path("copy"), Path("original"), "shown")
    slow = transcript.request(Span(0), "POST", "/predict", [], b"")
    fast = transcript.request(seconds(1), "GET", "/health", [], b"")
    transcript.answer(seconds(1), fast, 200, [], b"")
    transcript.printed(seconds(2), "a line")
    transcript.answer(seconds(3), slow, 422, [], b"")
    transcript.request(seconds(3), "GET", "/never", [], b"")
    transcript.printed(seconds(4), "the last line")
    assert of_transcript(transcript, "What happened").description == (
        "What happened. POST /predict: 422 from 0 s to 3 s. GET /health: 200 at 1 s. "
        "GET /never: no answer from 3 s to 4 s (held up). printed: 2 s; 4 s."
    )


def test_many_requests_make_no_large_picture() -> None:
    transcript = Transcript(Path("copy"), Path("original"), "shown")
    for number in range(45):
        each = transcript.request(Span(0), "GET", "/same", [], b"")
        transcript.answer(seconds(number // 40), each, 200, [], b"")
    for number in range(500):
        transcript.request(Span(number), "GET", f"/{number}", [], b"")
    transcript.note(seconds(1), "!! Nothing came.")
    transcript.error(Raised("E" * 500, "", (), "run", 0, seconds(2)))
    line = of_transcript(transcript, "What happened")
    names = [lane.name for lane in line.lanes]
    assert names[0] == "45 x GET /same"
    assert [str(each) for each in line.lanes[0].bars] == ["200 at 0 s", "200 from 0 s to 1 s"]
    assert names[-3:] == ["478 more requests", "noted", "raised"]
    assert len(names) == 26
    assert len(svg(line)) < 60_000


def test_pictures_of_one_page_share_its_style_and_no_id() -> None:
    line = one_lane(Bar(0, 1))
    first, second = svg(line, prefix="a-"), svg(line, prefix="b-")
    assert "<style>" not in first and f"<style>{STYLE}</style>" in svg(line)
    ids = [re.findall(r' id="([^"]*)"', each) for each in (first, second)]
    assert ids == [["a-title", "a-desc"], ["b-title", "b-desc"]]
