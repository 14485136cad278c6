"""Collects the evidence that an export shows, from a process or a file."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from inspector.commands.app import version_line
from inspector.commands.findings import judged, mutes_path
from inspector.commands.holders import find_holders
from inspector.errors import ControlError
from inspector.model.exports.evidence import Evidence, HeldBy
from inspector.model.findings.judge import Report
from inspector.model.snapshot import Snapshot
from inspector.session.mutes import Mutes
from inspector.session.protocol import Session

MOST_HELD: Final = 4
"""Handles of suspects whose holders are looked for: each takes walks through the target's heap."""


def collect(
    session: Session, first: Snapshot, *, is_judged: bool, watch_secs: float | None
) -> Evidence:
    """The state; with ``is_judged`` the findings too, and the holders of suspects.

    A process is watched for ``watch_secs``, or until the rules can say.

    Raises ``InspectorError``.
    """
    if not is_judged:
        return Evidence(first, program=version_line())
    found = judged(session, first, watch_secs, Mutes(mutes_path()).all())
    return Evidence(
        found.snapshot,
        report=found.report,
        course=found.course,
        holders=_holders(session, found.snapshot, found.report),
        program=version_line(),
    )


def _holders(session: Session, snapshot: Snapshot, report: Report) -> MappingProxyType[int, HeldBy]:
    """The holders of the first handle of each suspect, of a target that can be asked."""
    if not session.capabilities.act:
        return MappingProxyType({})
    wanted = [each.handles[0] for each in report.suspects() if each.handles]
    found = {}
    for handle in dict.fromkeys(wanted[:MOST_HELD]):
        try:
            held = find_holders(session, snapshot, handle)
        except ControlError:  # the handle is gone
            continue
        found[handle] = HeldBy(held.native, held.python)
    return MappingProxyType(found)
