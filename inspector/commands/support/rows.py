"""Snapshots as plain values: the ``--json`` shape of the command line. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from inspector.model.snapshot import UNKNOWN, Handles, Snapshot, Target, handle_text
from inspector.model.states import state_words
from inspector.session.protocol import CloseAnswer, GcReport

PlainRow = dict[str, Any]


def target_value(target: Target) -> PlainRow:
    """The process."""
    return {
        "pid": target.pid,
        "name": target.name,
        "command": target.command or None,
        "runtime": target.runtime or None,
        "state": str(target.state),
        "reason": target.reason or None,
        "level": target.level.name.lower(),
        "from_outside": target.from_outside,
        "viewers": target.viewers,
        "started_at": seconds(target.started_at),
    }


def snapshot_value(snapshot: Snapshot, rows: Iterable[int]) -> PlainRow:
    """The object that ``--json`` prints, with the rows that were chosen; ``notes`` when something could not be looked at."""
    value = {
        "target": target_value(snapshot.target),
        "handles": [row_value(snapshot, row) for row in rows],
        "lost": dict(snapshot.lost.counts),
    }
    return value | {"notes": list(snapshot.notes)} if snapshot.notes else value


def row_value(snapshot: Snapshot, row: int) -> PlainRow:
    """One handle; unknown values are ``None``."""
    handles = snapshot.handles
    kind = snapshot.types.get(int(handles.types[row]))
    strong = count(handles.strong[row])
    return {
        "id": handle_text(int(handles.ids[row])),
        "type": kind.name if kind else None,
        "kind": kind.kind if kind else None,
        "state": state_words(int(handles.references[row]), int(handles.resources[row])),
        "strong": strong,
        "weak": count(handles.weak[row]),
        "proxies": count(handles.proxies[row]),
        "native_refs": native_refs(handles, row),
        "in_flight": count(handles.in_flight[row]),
        "owner_thread": thread_name(snapshot, int(handles.owner_threads[row])),
        "created_thread": thread_name(snapshot, int(handles.created_threads[row])),
        "created_at": seconds(float(handles.created_at[row])),
        "address": f"{int(handles.addresses[row]):#x}" if handles.addresses[row] else None,
        "site": site_text(snapshot, int(handles.created_sites[row])),
        "inner_strong": count(handles.inner_strong[row]),
        "outer_strong": count(handles.outer_strong[row]),
        "outer": str(kind.outer) or None if kind else None,
        "module": kind.origin or None if kind else None,
        "number": f"{int(handles.data[row]):#x}" if handles.data[row] else None,
    }


def native_refs(handles: Handles, row: int) -> int | None:
    """References that native code holds; -1 is a count here, unknown is what has no strong count."""
    return None if handles.strong[row] == UNKNOWN or handles.proxies[row] == UNKNOWN else int(handles.native_refs[row])


def gc_value(report: GcReport) -> PlainRow:
    """What a collection did."""
    return {
        "collected": report.collected,
        "handles_released": report.handles_released,
        "closes_queued": report.closes_queued,
        "still_pending": report.still_pending,
        "uncollectable": report.uncollectable,
        "took_secs": report.took_secs,
    }


def answer_value(answer: CloseAnswer) -> PlainRow:
    """What became of one handle."""
    return {
        "id": handle_text(answer.handle),
        "outcome": answer.outcome,
        "reason": answer.reason or None,
        "holders": list(answer.holders),
        "close_first": [handle_text(handle) for handle in answer.first],
    }


def count(value: Any) -> int | None:
    """A count; ``None`` when it is not known."""
    return None if int(value) == UNKNOWN else int(value)


def seconds(value: float) -> float | None:
    """A time; ``None`` when it is not known."""
    return None if math.isnan(value) else value


def thread_name(snapshot: Snapshot, index: int) -> str | None:
    """Name of a thread by its index; ``None`` for none or an unknown one."""
    thread = snapshot.threads.get(index)
    return None if thread is None else thread.label


def site_text(snapshot: Snapshot, index: int) -> str | None:
    """The innermost line of a stack."""
    site = snapshot.sites.get(index)
    return None if site is None else site.short() or None
