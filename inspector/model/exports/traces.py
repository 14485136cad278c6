"""Exports for viewers of profiles and traces: speedscope, and trace events for Perfetto."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from inspector.model.exports.evidence import Evidence
from inspector.model.exports.lines import stack_counts
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.vocabulary import handle_text

MOST_SLICES: Final = 50_000
"""Handles that a trace shows, the newest ones; the trace says how many are left out."""
_MICROS: Final = 1e6


def speedscope_text(evidence: Evidence) -> str:
    """Live handles by the stack that made them, as a speedscope file."""
    counts = sorted(stack_counts(evidence.snapshot).items())
    names = sorted({name for stack, _ in counts for name in stack})
    place = {name: at for at, name in enumerate(names)}
    total = sum(count for _, count in counts)
    value = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": evidence.program,
        "name": f"{evidence.snapshot.target.name}: live handles by stack",
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": name} for name in names]},
        "profiles": [
            {
                "type": "sampled",
                "name": "live handles",
                "unit": "none",
                "startValue": 0,
                "endValue": total,
                "samples": [[place[name] for name in stack] for stack, _ in counts],
                "weights": [count for _, count in counts],
            }
        ],
    }
    return json.dumps(value, allow_nan=False) + "\n"


def trace_text(evidence: Evidence) -> str:
    """Lives of handles as slices and live counts as counters, in JSON that Perfetto reads."""
    snapshot = evidence.snapshot
    slices, left_out = _slices(snapshot)
    value = {
        "traceEvents": [
            {
                "ph": "M",
                "pid": snapshot.target.pid,
                "name": "process_name",
                "args": {"name": snapshot.target.name},
            },
            *_counters(evidence),
            *slices,
        ],
        "displayTimeUnit": "ms",
        "otherData": {"exporter": evidence.program, "handles left out": left_out},
    }
    return json.dumps(value, allow_nan=False) + "\n"


def _counters(evidence: Evidence) -> list[dict[str, Any]]:
    """Live handles of each type at each moment that is known."""
    snapshot = evidence.snapshot
    found = []
    for vitals in evidence.course or (snapshot.vitals,):
        lives = vitals.live_by_type()
        for index, kind in snapshot.types.items():
            if index < len(lives):
                found.append(
                    {
                        "ph": "C",
                        "pid": snapshot.target.pid,
                        "ts": vitals.at * _MICROS,
                        "name": f"live {kind.name}",
                        "args": {"handles": int(lives[index])},
                    }
                )
    return found


def _slices(snapshot: Snapshot) -> tuple[list[dict[str, Any]], int]:
    """A slice from birth to death, or until now; handles of unknown birth are left out."""
    handles = snapshot.handles
    known = np.flatnonzero(~np.isnan(handles.created_at))
    order = known[np.argsort(handles.created_at[known], kind="stable")][-MOST_SLICES:]
    lives = alive(handles)
    found: list[dict[str, Any]] = []
    for row in order.tolist():
        kind = snapshot.types.get(int(handles.types[row]))
        born = float(handles.created_at[row])
        died = snapshot.taken_at if lives[row] else float(handles.changed_at[row])
        if math.isnan(died):
            continue
        name = kind.name if kind else "unknown type"
        text = handle_text(int(handles.ids[row]))
        common = {"cat": name, "id": text, "pid": snapshot.target.pid, "tid": 0, "name": name}
        site = snapshot.sites.get(int(handles.created_sites[row]))
        args = {"handle": text, "site": site.short() if site else None, "lives": bool(lives[row])}
        found.append({"ph": "b", "ts": born * _MICROS, "args": args, **common})
        found.append({"ph": "e", "ts": max(died, born) * _MICROS, **common})
    return found, len(handles) - len(found) // 2
