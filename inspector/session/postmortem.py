"""A session over the segment of a dead target.

Reading is the same as for a live target; it is done once.
"""

from __future__ import annotations

from pathlib import Path

from inspector.attach.procfs import process_stat
from inspector.attach.segment import Segment
from inspector.model.build import Moment, build_snapshot, clock_of
from inspector.model.raw import RawState
from inspector.model.snapshot import Snapshot
from inspector.session.events import EventReader
from inspector.session.fixed_session import FixedSession
from inspector.session.liveness import Liveness, Signs
from inspector.session.source import SegmentSource
from inspector.session.target import target_of


def postmortem_session(path: Path) -> FixedSession:
    """Open a leftover segment. Raises ``SegmentError``. Blocks for the one reading."""
    reader = EventReader(path)
    events = reader.read(None)
    reader.close()
    with Segment(path) as segment:
        source = SegmentSource(segment)
        overwritten = reader.count_lost(source.events_gone())
        snapshot = snapshot_of_dead(
            source, source.state(), serial=1, overwritten_events=overwritten
        )
    return FixedSession(
        snapshot, reason=f"the process is gone: {snapshot.target.reason}", events=events
    )


def snapshot_of_dead(
    source: SegmentSource, raw: RawState, *, serial: int, overwritten_events: int
) -> Snapshot:
    """The last state, as of the last moment that the target wrote down.

    Ages are the rows' ages at that moment.
    """
    header = raw.vitals
    last = last_moment(raw)
    stat = process_stat(header.number("pid"))
    is_same = stat is not None and stat.start_time == header.number("start_time")
    verdict = Liveness().judge(
        Signs(
            at=0.0,
            has_lock=False,
            ending=header.number("ending"),
            process_state=stat.state if stat is not None and is_same else "",
            heartbeat_ticks=0,
            interpreter_ticks=0,
            interpreter_silent_secs=0.0,
            is_watched=False,
            has_interpreter=False,
        )
    )
    moment = Moment(
        serial=serial,
        taken_at=last,
        target=target_of(header, verdict, last),
        overwritten_events=overwritten_events,
    )
    return build_snapshot(raw, source.names, source.codes, moment)


def last_moment(raw: RawState) -> float:
    """The newest time in the segment, seconds since the Unix epoch."""
    header = raw.vitals
    ticks = [
        header.number(name)
        for name in (
            "anchor_ticks",
            "heartbeat_ticks",
            "interpreter_ticks",
            "sampled_at_ticks",
            "ended_at_ticks",
        )
    ]
    if len(raw.rows):
        ticks += [int(raw.rows[name].max()) for name in ("created_at_ticks", "changed_at_ticks")]
    return clock_of(header).secs(max(ticks))
