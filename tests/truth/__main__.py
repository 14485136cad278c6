"""``python -m tests.truth``.

200,000 random comparisons of our counts with the libraries' own, in a prepared process, in one into
which the
agent is brought, and from outside. Prints a table; exit status 1 with the first wrong comparison
and the seed that leads to it.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from inspector.model.snapshot import UNKNOWN, Snapshot, Vitals
from inspector.model.states import alive
from inspector.session.live import LiveSession
from inspector.session.outside import OutsideSession
from inspector.session.protocol import Session
from inspector.vocabulary import Level
from tests.helpers.targets import Target, start_target

COMPARISONS: Final = 200_000
PASSES: Final = 12
"""Passes of the sampler, after which a count at rest has to be believed."""
LOOKS: Final = 2
"""Looks from outside, likewise."""
PATIENCE_SECS: Final = 120.0
COLUMNS: Final = ("strong", "weak", "proxies", "native_refs")
AGREEING: Final = (*COLUMNS, "in_flight")


class WrongError(Exception):
    """A comparison that is wrong, or a row that was never shown; the message says which."""


class Watcher:
    """The newest snapshot of a session, and how many moments it has shown since one asked."""

    def __init__(self, session: Session, moment: Callable[[Snapshot], float], enough: int) -> None:
        """``moment``: when the counts of a snapshot were read.

        ``enough``: so many moments are waited for.
        """
        self._moment, self._enough = moment, enough
        self._changed = threading.Condition()
        self._newest: Snapshot | None = None
        self._moments: set[float] = set()
        session.subscribe(self)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        with self._changed:
            self._newest = snapshot
            self._moments.add(min(self._moment(snapshot), snapshot.taken_at))
            self._changed.notify_all()

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used."""

    def after(self, at: float) -> Snapshot:
        """A snapshot whose counts were read long enough after ``at``."""
        with self._changed:
            self._moments.clear()
            self._changed.wait_for(
                lambda: sum(each > at for each in self._moments) >= self._enough, PATIENCE_SECS
            )
            if self._newest is None or sum(each > at for each in self._moments) < self._enough:
                raise WrongError(
                    f"no snapshot with {self._enough} readings of the counts in "
                    f"{PATIENCE_SECS:.0f} s"
                )
            return self._newest


@dataclass(slots=True)
class Tally:
    """The comparisons in one way of looking."""

    way: str
    resting: int = 0
    """Comparisons of objects at rest while eight threads work on others."""
    still: int = 0
    """Comparisons of all objects while those threads stand at a gate."""
    busy_rows: int = 0
    """Rows of busy objects that agree with the other rows of their object, none with a reference
    missing."""
    began: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        return self.resting + self.still


def compare(snapshot: Snapshot, truths: list[list[int]]) -> int:
    """Compare all rows of the objects; answers with the number of comparisons.

    Raises ``WrongError``.
    """
    handles = snapshot.handles
    live = np.flatnonzero(alive(handles))
    rows_by_address: dict[int, list[int]] = {}
    for row in live.tolist():
        rows_by_address.setdefault(int(handles.addresses[row]), []).append(row)
    compared = 0
    for address, *counted in truths:
        rows = rows_by_address.get(address, [])
        _require(len(rows), counted[2], f"rows of the object at {address:#x}")
        compared += 1
        for row in rows:
            for name, true in zip(COLUMNS, counted, strict=True):
                _require(
                    int(getattr(handles, name)[row]),
                    true,
                    (f"{name} of a handle on the object at {address:#x} ({counted})"),
                )
                compared += 1
    return compared


def agree(snapshot: Snapshot) -> int:
    """Rows that agree with the other rows of their object, and none has a reference missing.

    Raises ``WrongError``.
    """
    handles = snapshot.handles
    live = np.flatnonzero(alive(handles) & (handles.addresses != 0))
    _, first, place = np.unique(handles.addresses[live], return_index=True, return_inverse=True)
    for name in AGREEING:
        column = getattr(handles, name)[live]
        for row in np.flatnonzero(column != column[first][place]).tolist():
            raise WrongError(
                f"rows of one object disagree: {name} is {column[row]} and "
                f"{column[first][place][row]}"
            )
    known = handles.strong[live] != UNKNOWN
    if (handles.native_refs[live][known] < 0).any():
        raise WrongError("an object of a sound program has fewer references than handles")
    return len(live)


def _require(seen: int, true: int, what: str) -> None:
    if seen != true:
        raise WrongError(f"{what}: {seen} shown, {true} true")


@contextmanager
def prepared() -> Iterator[tuple[Target, Watcher]]:
    """A program that starts the agent itself."""
    with (
        start_target("truth", "prepared") as target,
        _live(Path(target.ready["segment"])) as watcher,
    ):
        yield target, watcher


@contextmanager
def injected() -> Iterator[tuple[Target, Watcher]]:
    """A program into which the agent is brought while its threads work."""
    with start_target("truth", "alone") as target:
        target.ask("busy 0")
        found = bring_agent(target.pid, Method.INJECT).found
        assert found.segment is not None
        with _live(found.segment) as watcher:
            yield target, watcher


@contextmanager
def outside() -> Iterator[tuple[Target, Watcher]]:
    """A program into which nothing is loaded."""
    with start_target("truth", "alone") as target:
        session = OutsideSession(target.pid, rest=0.0)
        try:
            yield target, Watcher(session, lambda snapshot: snapshot.taken_at, LOOKS)
        finally:
            session.end()
            session.join()


@contextmanager
def _live(segment: Path) -> Iterator[Watcher]:
    session = LiveSession(segment, level=Level.COUNT)
    session.set_interval(snapshot_secs=0.05, vitals_secs=1.0)
    try:
        yield Watcher(session, lambda snapshot: snapshot.sampled_at, PASSES)
    finally:
        session.end()
        session.join()


WAYS: Final = {"prepared": (prepared, 9), "injected": (injected, 9), "from outside": (outside, 2)}
"""Each with its share of the comparisons: a look from outside rests for seconds."""


def run(way: str, wanted: int, seed: int) -> Tally:
    """Compare until ``wanted`` comparisons are made.

    Raises ``WrongError`` with the round's seed.
    """
    tally = Tally(way)
    with WAYS[way][0]() as (target, watcher):
        number = 0
        while tally.total < wanted:
            word, round_seed = (
                ("still" if number % 3 == 2 else "busy"),
                f"{seed}-{way.replace(' ', '-')}-{number}",
            )
            truths = target.ask(f"{word} {round_seed}")
            snapshot = watcher.after(time.time())
            try:
                compared = compare(snapshot, truths)
                tally.busy_rows += agree(snapshot)
            except WrongError as error:
                raise WrongError(
                    f"{error} · {way}, round {number} ({word}), --seed {seed}"
                ) from None
            if word == "still":
                tally.still += compared
            else:
                tally.resting += compared
            number += 1
        target.finish()
    return tally


def main(words: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="./dev truth", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=COMPARISONS, help="in all ways together")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--way", choices=WAYS, action="append", help=("only this one; may be given several times")
    )
    wish: Any = parser.parse_args(words)
    ways = wish.way or list(WAYS)
    print(
        f"{'':14}{'at rest, 8 busy threads':>26}{'all at rest':>14}{'rows that agree':>18}{'wrong':>8}{'s':>7}",
        flush=True,
    )
    total, shares = 0, sum(WAYS[way][1] for way in ways)
    for way in ways:
        try:
            tally = run(way, -(-wish.comparisons * WAYS[way][1] // shares), wish.seed)
        except WrongError as error:
            print(f"WRONG: {error}", file=sys.stderr)
            return 1
        total += tally.total
        secs = time.monotonic() - tally.began
        print(
            f"{way:14}{tally.resting:26,}{tally.still:14,}{tally.busy_rows:18,}{0:8}{secs:7.0f}",
            flush=True,
        )
    print(f"{total:,} comparisons, 0 wrong (seed {wish.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
