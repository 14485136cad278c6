"""Classes of a process's Rust libraries that are not followed.

They come from its agent's counts and the libraries' files.
"""

from __future__ import annotations

from collections.abc import Mapping

from inspector.attach.procfs import inside
from inspector.model.findings.leads import Coverage, Lead
from inspector.session.adapter_answers import AdapterReport, LibraryClasses
from inspector.wire.pyo3_libraries import pyo3_library


def coverage_of(pid: int, report: AdapterReport) -> Coverage:
    """The parts of a process without rows, from its agent's report. Reads files; any thread."""
    unseen = tuple(each.cls for each in report.declared if each.is_unseen)
    return Coverage(
        None if report.libraries is None else lead(pid, report.libraries),
        unseen,
        report.failed,
        report.awaited,
        report.closed_uses,
    )


def lead(pid: int, libraries: Mapping[str, LibraryClasses]) -> Lead:
    """The classes among ``libraries`` that Rust made. Reads files; any thread."""
    rust = [
        (found, each)
        for path, each in libraries.items()
        if (found := pyo3_library(inside(pid, path), path)) is not None
    ]
    if not rust:
        return Lead()
    most = max((each for _, each in rust), key=lambda each: (each.live, bool(each.example)))
    names = tuple(dict.fromkeys(found.name for found, _ in rust))
    return Lead(sum(each.count for _, each in rust), names, most.example, most.live)
