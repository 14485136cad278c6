"""Charts as inline SVG: live handles over time, and the flame graph of live handles by stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from inspector.model.exports.markup import Markup, joined, nothing, tag
from inspector.model.flame import build_flames
from inspector.model.snapshot import Floats, Snapshot, Vitals
from inspector.model.wording import clock, number

WIDTH: Final = 960
HEIGHT: Final = 220
LEFT: Final = 64
BOTTOM: Final = 24
MOST_LINES: Final = 6
"""Types with a line of their own; the rest is one line."""
MOST_POINTS: Final = 400
ROW: Final = 18
MOST_DEPTH: Final = 40
LEAST_WIDTH: Final = 0.002
"""Share of the whole below which a rectangle is left out."""
_CHAR: Final = 6.5


def timeline(snapshot: Snapshot, course: Sequence[Vitals]) -> Markup:
    """Live handles by type over time; empty markup without two moments."""
    step = -(-len(course) // MOST_POINTS) or 1
    course = course[::-1][::step][::-1]
    if len(course) < 2 or course[-1].at <= course[0].at:
        return nothing()
    at = np.array([each.at for each in course])
    lines = _series(snapshot, course)
    top = max(max(float(values.max()) for _, values in lines), 1.0)
    x = LEFT + (at - at[0]) / (at[-1] - at[0]) * (WIDTH - LEFT)
    drawn = [
        joined(
            tag(
                "polyline",
                tag("title", name),
                points=" ".join(
                    f"{left:.1f},{_y(value, top):.1f}"
                    for left, value in zip(x.tolist(), values.tolist(), strict=True)
                ),
                class_=f"line c{at_line}",
            )
        )
        for at_line, (name, values) in enumerate(lines)
    ]
    legend = tag(
        "p",
        (tag("span", name, class_=f"key c{place}") for place, (name, _) in enumerate(lines)),
        class_="legend",
    )
    return joined(_frame(drawn, top, float(at[0]), float(at[-1])), legend)


def _series(snapshot: Snapshot, course: Sequence[Vitals]) -> list[tuple[str, Floats]]:
    """The types with most live handles, and the rest."""
    width = max(len(each.live_by_type()) for each in course)
    lives = np.zeros((len(course), width))
    for row, each in enumerate(course):
        lives[row, : len(each.live_by_type())] = each.live_by_type()
    known = [index for index in snapshot.types if index < width]
    known.sort(key=lambda index: -float(lives[:, index].max(initial=0)))
    chosen, rest = known[:MOST_LINES], known[MOST_LINES:]
    lines = [(snapshot.types[index].name, lives[:, index]) for index in chosen]
    if rest or not lines:
        lines.append(("all other types", lives[:, rest].sum(axis=1)))
    return lines


def _frame(drawn: Sequence[Markup], top: float, first: float, last: float) -> Markup:
    floor = HEIGHT - BOTTOM
    return tag(
        "svg",
        tag("line", x1=LEFT, y1=floor, x2=WIDTH, y2=floor, class_="axis"),
        tag("text", number(round(top)), x=LEFT - 6, y=14, text_anchor="end"),
        tag("text", "0", x=LEFT - 6, y=floor, text_anchor="end"),
        tag("text", clock(first), x=LEFT, y=HEIGHT - 6),
        tag("text", clock(last), x=WIDTH, y=HEIGHT - 6, text_anchor="end"),
        drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label="Live handles by type over time",
    )


def _y(value: float, top: float) -> float:
    return 4 + (1 - value / top) * (HEIGHT - BOTTOM - 4)


def flame_graph(snapshot: Snapshot) -> Markup:
    """Live handles by the stack that made them, the outermost frame on top."""
    graph = build_flames(snapshot)
    shown = [each for each in graph.flames if each.width >= LEAST_WIDTH and each.depth < MOST_DEPTH]
    rows = max((each.depth for each in shown), default=0) + 1
    drawn = []
    for flame in shown:
        left, width = flame.left * WIDTH, max(flame.width * WIDTH - 1, 1)
        room = int((width - 6) / _CHAR)
        text = flame.text if len(flame.text) <= room else f"{flame.text[: max(room - 1, 0)]}…"
        label = tag("text", text, x=left + 3, y=flame.depth * ROW + 13) if room >= 3 else nothing()
        about = f"{flame.text}: {number(flame.value)} handles {flame.where}".rstrip()
        box = tag(
            "rect",
            x=left,
            y=flame.depth * ROW,
            width=width,
            height=ROW - 1,
            class_="tip" if flame.is_type else "frame",
        )
        drawn.append(tag("g", tag("title", about), box, label))
    left_out = len(graph.flames) - len(shown)
    note = tag("p", f"{number(left_out)} narrow or deep frames are left out", class_="quiet")
    return joined(
        tag(
            "svg",
            drawn,
            viewBox=f"0 0 {WIDTH} {rows * ROW}",
            role="img",
            aria_label="Flame graph of live handles by stack",
        ),
        note if left_out else nothing(),
    )
