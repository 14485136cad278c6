"""The findings that belong to a row of a comparison. Pure; any thread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_groups import Named
from inspector.model.findings.finding import Finding


def types_found(facts: ChangeFacts) -> list[tuple[Finding, set[int]]]:
    """Each finding with the types of its handles."""
    handles = facts.snapshot.handles
    return [
        (each, set(handles.types[np.isin(handles.ids, np.array(each.handles, np.uint64))].tolist()))
        for each in facts.findings
    ]


def finding_of(findings: Sequence[Finding], named: Named, *, is_line: bool) -> Finding | None:
    """The first suspect about the type and line; about a type: about any of its lines."""
    name, site = named.type_name, named.site
    if not name:
        return None
    whole = f"{name} from {site}" if site else name
    for finding in findings:
        if finding.subject == whole:
            return finding
        if not site and not is_line and finding.subject.startswith(f"{name} from "):
            return finding
    return None
