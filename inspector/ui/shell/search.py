"""Finds types, handles, threads, lines and findings by typing. GUI thread.

Pure but for the snapshot that it reads; a million handles are searched by number only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from inspector.model.filter import quoted
from inspector.model.findings.finding import Finding
from inspector.model.snapshot import Snapshot
from inspector.model.threads import filter_text
from inspector.vocabulary import handle_text

MOST: Final = 8
"""Hits of one kind."""


class HitKind(StrEnum):
    """The kind of a hit, as it stands at the right of its line."""

    TYPE = "type"
    HANDLE = "handle"
    THREAD = "thread"
    SITE = "line"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    text: str
    kind: HitKind
    filter: str = ""
    """Filter that shows it."""
    handle: int = 0
    finding: Finding | None = None


def rank(typed: str, text: str) -> int:
    """How well a text fits: 0 begins with it, 1 a word does, 2 holds it, 3 its letters in order.

    -1: it does not fit.
    """
    typed, text = typed.casefold().strip(), text.casefold()
    if text.startswith(typed):
        return 0
    if f" {typed}" in text:
        return 1
    if typed in text:
        return 2
    letters = iter(text)
    fits = all(letter in letters for letter in typed if not letter.isspace())
    return 3 if fits else -1


def find(typed: str, snapshot: Snapshot | None, findings: Iterable[Finding]) -> list[Hit]:
    """The best hits of each kind; none for an empty text."""
    if not typed.strip() or snapshot is None:
        return []
    if typed.strip().startswith("#"):
        return _handles(typed.strip(), snapshot)
    hits = [
        *(
            Hit(row.name, HitKind.TYPE, f"type:{quoted(row.name)}")
            for row in snapshot.types.values()
        ),
        *(
            Hit(thread.label, HitKind.THREAD, filter_text(thread))
            for thread in snapshot.threads.values()
        ),
        *(
            Hit(text, HitKind.SITE, f"site:{quoted(text)}")
            for text in sorted({site.short() for site in snapshot.sites.values()})
            if text
        ),
        *(Hit(each.headline, HitKind.FINDING, finding=each) for each in findings),
    ]
    ranked = [(rank(typed, hit.text), hit) for hit in hits]
    found = sorted(
        (pair for pair in ranked if 0 <= pair[0] <= 2), key=lambda pair: (pair[0], pair[1].text)
    )
    return [hit for kind in HitKind for hit in [h for _, h in found if h.kind is kind][:MOST]]


def _handles(typed: str, snapshot: Snapshot) -> list[Hit]:
    """Handles whose number begins so: ``#12`` or ``#12.3``."""
    slot, dot, generation = typed[1:].partition(".")
    if not slot.isdecimal() or len(slot) > 10:
        return []
    ids = snapshot.handles.ids
    slots = (ids & np.uint64(0xFFFF_FFFF)) >> np.uint64(1)
    rows = np.flatnonzero(slots == np.uint64(int(slot)))
    found = [int(each) for each in ids[rows].tolist()]
    wanted = f"#{slot}.{generation}" if dot else f"#{slot}."
    return [
        Hit(handle_text(each), HitKind.HANDLE, handle=each)
        for each in found
        if handle_text(each).startswith(wanted)
    ][:MOST]
