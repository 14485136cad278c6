"""The process behind a segment, from its header. Pure; any thread."""

from __future__ import annotations

from inspector.attach.processes import short_name
from inspector.model.build import clock_of
from inspector.model.raw import RawVitals, text_of
from inspector.model.snapshot import Target
from inspector.session.liveness import Verdict
from inspector.vocabulary import Level


def target_of(raw: RawVitals, verdict: Verdict, state_since: float) -> Target:
    """The target with the state that the session judged."""
    pid = raw.number("pid")
    command = text_of(raw.header["program"][0])
    clock = clock_of(raw)
    return Target(
        pid=pid,
        name=short_name(command) or f"process {pid}",
        command=command,
        runtime=text_of(raw.header["runtime"][0]),
        executable=text_of(raw.header["executable"][0]),
        start_time=raw.number("start_time"),
        started_at=clock.secs(clock.anchor_ticks),
        state=verdict.state,
        reason=verdict.reason,
        state_since=state_since,
        level=_level(raw.number("level")),
        viewers=raw.number("viewers"),
    )


def _level(number: int) -> Level:
    """A damaged header must not stop reading."""
    return Level(number) if number <= Level.STACKS else Level.OFF
