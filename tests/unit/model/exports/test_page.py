"""The page is readable by itself, and no name of a target becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType

from inspector.model.diff import diff
from inspector.model.exports.charts import MOST_DEPTH, flame_graph
from inspector.model.exports.markup import joined, tag
from inspector.model.exports.page import diff_page_text, page_text
from inspector.model.exports.tables import MOST_HANDLES
from inspector.model.marks import mark_now
from inspector.model.stacks import Frame, Site
from tests.helpers.evidences import HOSTILE, evidence_of
from tests.helpers.snapshots import Row, snapshot_of

VOID = {"meta"}


class Reader(HTMLParser):
    """Collects elements, attributes and texts, and checks that elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


PLAIN = Reader(page_text(evidence_of("Plain")))


def test_a_hostile_name_makes_no_element_and_no_attribute() -> None:
    hostile = Reader(page_text(evidence_of(HOSTILE)))
    assert hostile.names == PLAIN.names
    assert set(hostile.attributes) == set(PLAIN.attributes)
    assert {name for name in hostile.attributes if name.startswith("on")} == set()


def test_a_hostile_name_is_shown_as_it_is() -> None:
    assert Reader(page_text(evidence_of(HOSTILE))).text.count(HOSTILE) >= 8


def test_the_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    text = page_text(evidence_of("Plain"))
    assert "script" not in PLAIN.names
    assert not {"src", "href", "link"} & {*PLAIN.attributes, *PLAIN.names}
    assert not re.search(r"url\(|@import|https?:", text)
    assert any("default-src 'none'" in each for each in PLAIN.attributes["content"])
    assert "prefers-color-scheme: dark" in text


def test_it_shows_findings_with_evidence_and_holders_types_and_charts() -> None:
    for words in (
        "Plain grows",
        "Plain is made by Plain",
        "holders of #1.1",
        "global Plain  Plain:7",
        "“Plain” × 2",
        "Live handles by type",
        "Pending closes",
        "Lost: 2 events",
        "arc-inspector 0",
    ):
        assert words in PLAIN.text, words
    assert {"svg", "polyline", "rect", "table", "section"} <= PLAIN.names


def test_rows_that_find_no_room_are_counted() -> None:
    evidence = evidence_of("Plain", rows=MOST_HANDLES + 4)
    assert "and 5 more rows" in Reader(page_text(evidence)).text


def test_frames_of_a_flame_graph_that_are_too_deep_are_counted() -> None:
    snapshot = snapshot_of([Row(1)])
    frames = tuple(Frame(f"f{at}", "/srv/app.py", at + 1) for at in range(MOST_DEPTH + 10))
    deep = replace(snapshot, sites=MappingProxyType({1: Site(1, frames)}))
    svg = flame_graph(deep)
    assert svg.count("<rect") == MOST_DEPTH
    assert "12 narrow or deep frames are left out" in svg
    assert "left out" not in flame_graph(snapshot)


def test_only_markup_of_the_module_is_not_escaped() -> None:
    assert tag("p", "<b>", tag("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"
    assert tag("p", title='"<') == '<p title="&quot;&lt;"></p>'
    assert joined(["<", tag("b")]) == "&lt;<b></b>"
    assert tag("p", "a\x1b[2Jb") == "<p>a\ufffd[2Jb</p>"


def test_a_comparison_is_a_page_with_its_numbers() -> None:
    before = mark_now(snapshot_of([Row(1), Row(2)]), HOSTILE)
    after = mark_now(snapshot_of([Row(2), Row(3), Row(4)]), "after")
    page = Reader(diff_page_text(diff(before, after), "arc-inspector 0", "left out: names (1)"))
    assert page.names <= {*PLAIN.names}
    assert HOSTILE in page.text
    assert "+1" in page.text
    assert "left out: names (1)" in page.text
