"""Classes of a process's extensions that are not followed.

They come from its agent's counts and the libraries' files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inspector.attach.outside.seen import SeenLibrary
from inspector.attach.procfs import inside
from inspector.model.findings.leads import Coverage, Hidden, Lead, LibraryLead
from inspector.session.adapter_answers import AdapterReport, LibraryClasses
from inspector.vocabulary import library_title
from inspector.wire.pyo3_libraries import binding_of, library_name

UNKNOWN_BINDING = "native"
UNCOUNTED = -1
"""The count for a library whose file cannot be read any more."""


def coverage_of(pid: int, report: AdapterReport) -> Coverage:
    """The parts of a process without rows, from its agent's report. Reads files; any thread."""
    unseen = tuple(each.cls for each in report.declared if each.is_unseen)
    return Coverage(
        None if report.libraries is None else lead(pid, report.libraries),
        unseen,
        report.failed,
        report.awaited,
        report.closed_uses,
        Hidden(report.constants, report.refused),
    )


def lead(pid: int, libraries: Mapping[str, LibraryClasses]) -> Lead:
    """The classes among ``libraries``, by library. Reads files; any thread."""
    found = [
        LibraryLead(
            library_title(each.module, library_name(path)),
            binding_of(inside(pid, path), path) or UNKNOWN_BINDING,
            each.count,
            each.alive,
            each.uncounted,
            each.module,
        )
        for path, each in libraries.items()
        if each.count
    ]
    return Lead(tuple(sorted(found, key=_rank)))


def outside_lead(libraries: Iterable[SeenLibrary]) -> Lead:
    """The libraries whose objects a look from outside did not list. They cannot be followed there.

    Classes that are no heap types are not found from outside.
    """
    found = [
        LibraryLead(
            library_name(each.path),
            each.binding or UNKNOWN_BINDING,
            each.classes,
            each.alive,
            UNCOUNTED,
        )
        for each in libraries
    ]
    return Lead(tuple(sorted(found, key=_rank)))


def _rank(each: LibraryLead) -> tuple[bool, int, str]:
    return not each.binding.startswith("PyO3"), -each.alive, each.name
