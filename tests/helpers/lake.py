"""A small lake: two deploys of a service, of which the second leaks, and another service."""

from __future__ import annotations

import re
from pathlib import Path

from inspector.commands.support.lake import Observation, Place, write_lake
from inspector.model.lifetimes import LifetimeCollector, seconds_of
from inspector.model.snapshot import Snapshot
from tests.helpers.snapshots import T0, Row, snapshot_of
from tests.helpers.targets import ROOT

LEAKING = Place("shop", "1.5", "web-1")
PLACES = (Place("shop", "1.4", "web-1"), LEAKING, Place("../pay/route x", "unknown", "web-2"))
SECONDS = 120


def observation(leaked: int) -> Observation:
    """Two minutes: five handles that come and go each second, and ``leaked`` ones that stay."""
    collector = LifetimeCollector()
    shown: list[Snapshot] = []
    for second in range(SECONDS):
        old = [Row(slot, age_secs=float(second), site=1) for slot in range(1, 1 + leaked)]
        new = [Row(100 + slot, generation=1 + second, age_secs=0.5, site=2) for slot in range(5)]
        held = old[: leaked * (second + 1) // SECONDS + 1] if leaked else []
        shown.append(snapshot_of([*held, *new], at=T0 + second, serial=second + 1))
        collector.take(shown[-1])
    course = tuple(snapshot.vitals for snapshot in shown)
    lifetimes = collector.finish(None)
    return Observation(shown[-1], lifetimes, seconds_of(course), T0, T0 + SECONDS - 1, 0)


def write_sample_lake(folder: Path) -> list[Path]:
    """Write it; the files."""
    files: list[Path] = []
    for place in PLACES:
        seen = observation(40 if place is LEAKING else 0)
        files += write_lake(folder, seen, seen.newest, place)
    return files


def queries(engine: str) -> list[str]:
    """The queries of the document for one engine."""
    text = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    return re.findall(rf"```sql {engine}\n(.*?)```", text, re.DOTALL)


def trino_tables(location: str = "LAKE") -> list[str]:
    """The statements of the document that make its tables, over the lake at ``location``."""
    (text,) = queries("trino-tables")
    statements = text.replace("LAKE", location).split(";")
    return [each.strip() for each in statements if each.strip()]
