"""Proxies that outlive the release of their reference.

A use after free or a double free will come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.filter import quoted
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import Group, grouped, ids_of
from inspector.model.snapshot import Snapshot
from inspector.model.states import RESOURCE_WORDS, alive
from inspector.vocabulary import Resource, kind_named


@dataclass(frozen=True, slots=True)
class FreedButHeld:
    """Looks for proxies whose finaliser has run and that Python still has."""

    key: str = "freed-but-held"
    title: str = "Freed, but Python still has it"
    about: str = (
        "A proxy whose finaliser has released its reference, and that the program still has: "
        "__del__ was called by hand, or a finaliser"
        " brought the object back. Its next use touches freed memory, and its next finaliser "
        "frees it again. Drop the last reference"
        " instead of calling __del__, and keep no object after its finaliser was called"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a type and site of creation."""
        snapshot = facts.snapshot
        is_possible = any(
            kind_named(row.kind).releases_in_finaliser for row in snapshot.types.values()
        )
        if snapshot.target.from_outside or not is_possible:
            why = (
                "A look from outside sees no finaliser run"
                if snapshot.target.from_outside
                else "No object of UniFFI was seen"
            )
            return [Finding(self.key, Verdict.UNMEASURED, why)]
        rows = np.flatnonzero(
            alive(snapshot.handles) & (snapshot.handles.resources == Resource.FREED)
        )
        if not len(rows):
            return [
                Finding(
                    self.key,
                    Verdict.OK,
                    ("No proxy is known to outlive the release of its reference"),
                )
            ]
        return [self._finding(snapshot, group) for group in grouped(snapshot, rows)]

    def _finding(self, snapshot: Snapshot, group: Group) -> Finding:
        what = "proxy" if len(group) == 1 else "proxies"
        return Finding(
            self.key,
            Verdict.SUSPECT,
            (
                f"{len(group):,} {what} of {group.type_name} freed, but Python still has "
                f"{'it' if len(group) == 1 else 'them'}"
            ),
            subject=group.subject,
            former_subject=group.former_subject,
            evidence=(
                (
                    "The finaliser has released the handle, which the proxy still keeps: the "
                    "next finaliser frees it again"
                ),
            ),
            filter=f'type:{quoted(group.type_name)} state:"{RESOURCE_WORDS[Resource.FREED]}"',
            handles=ids_of(snapshot, group.rows),
        )
