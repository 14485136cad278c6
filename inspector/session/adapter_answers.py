"""A target's answers about its adapters, as the session's own types.

It may be any process: its answer is checked. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inspector.errors import ControlError
from inspector.model.findings.leads import ClosedUse, FailedCallback
from inspector.model.pending import AwaitedCloses, OpenParts
from inspector.session.answers import handle, require_ok, text, whole
from inspector.wire.messages import Answer


@dataclass(frozen=True, slots=True)
class DeclaredClass:
    """The state of one declaration in a target."""

    cls: str
    """Its class, or ``library:name``."""
    source: str
    """The file that declares it, or ``the viewer``."""
    is_followed: bool
    rows: int
    """Handles that live."""
    waits_for: str
    """``zmq is not imported yet``; ``""`` when it waits for nothing."""
    trouble: str
    """Why it is not, or not fully, followed; ``""`` when it is."""
    is_unseen: bool = False
    """Instances live that have no row."""
    followed_by: str = ""
    """The adapter that follows the class by itself, so that the rows are its own; ``""``: none."""
    closes: str = ""
    """The method that closes, as it is called: ``close(flush=True)``; ``""``: none is declared."""


@dataclass(frozen=True, slots=True)
class LibraryClasses:
    """Classes of one extension that a target does not follow."""

    count: int
    example: str
    """Dotted name of the class with the most instances; ``""`` when it has none that can be
    declared."""
    live: int
    """About how many instances of it live; 0 when that cannot be told."""
    alive: int = 0
    """About how many instances of all its classes live, as far as they are counted."""
    uncounted: int = 0
    """Classes whose instances cannot be counted."""
    module: str = ""
    """The module that the library was imported as; ``""``: none."""


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """The classes that a target follows."""

    names: tuple[str, ...]
    """Of its adapters: ``uniffi``."""
    declared: tuple[DeclaredClass, ...]
    troubles: tuple[str, ...]
    """Faults of files of declarations, a line each."""
    notes: tuple[str, ...] = ()
    """Notes on the work of the agent, a line each, for a person."""
    libraries: Mapping[str, LibraryClasses] | None = None
    """By the library's file in the target; ``None``: the target does not say."""
    failed: tuple[FailedCallback, ...] | None = None
    """Calls of native code into Python objects that failed; ``None``: none could be seen."""

    closed_uses: tuple[ClosedUse, ...] = ()
    """Uses of objects after their close."""
    awaited: AwaitedCloses | None = None
    """Closes that wait for an event loop of the program; ``None``: the target does not say."""
    constants: tuple[tuple[str, int], ...] = ()
    """Classes whose only objects are constants of their library, each with their number."""
    refused: tuple[str, ...] = ()
    """Classes and modules that cannot be followed, each with its reason."""

    def notices(self) -> tuple[str, ...]:
        """Notices for a person, a line each."""
        return (
            *self.troubles,
            *(
                f"{each.cls} is not fully followed: {each.trouble}: {each.source}"
                for each in self.declared
                if each.trouble
            ),
        )


def adapter_report(answer: Answer) -> AdapterReport:
    """The report in an answer.

    Raises ``ControlError`` for a refusal, and for an answer that is none.
    """
    fields = require_ok(answer).fields
    try:
        return AdapterReport(
            names=tuple(text(name) for name in fields["adapters"]),
            declared=tuple(_declared(each) for each in fields.get("declared", ())),
            troubles=tuple(text(each) for each in fields.get("troubles", ())),
            notes=tuple(text(each) for each in fields.get("notes", ())),
            libraries=_libraries(fields.get("not_followed")),
            failed=_failed(fields.get("failed_callbacks")),
            closed_uses=tuple(_closed_use(each) for each in fields.get("closed_uses", ())),
            constants=tuple(
                (text(name), whole(count)) for name, count in fields.get("constants", ())
            ),
            refused=tuple(text(each) for each in fields.get("refused", ())),
            awaited=_awaited(
                fields.get("awaited_closes"),
                fields.get("told_at"),
                under_way=fields.get("closes_under_way", ()),
                parts=fields.get("parts_waited_for", ()),
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ControlError("the target's answer is not understood") from error


def _libraries(told: Mapping[str, Mapping[str, Any]] | None) -> dict[str, LibraryClasses] | None:
    if told is None:
        return None
    return {
        text(path): LibraryClasses(
            whole(each["classes"]),
            text(each["example"]),
            whole(each["live"]),
            whole(each.get("alive", each["live"])),
            whole(each.get("uncounted", 0)),
            text(each.get("module", "")),
        )
        for path, each in told.items()
    }


def _awaited(
    told: Sequence[Sequence[Any]] | None,
    at: Any,
    *,
    under_way: Sequence[Sequence[Any]],
    parts: Sequence[Mapping[str, Any]],
) -> AwaitedCloses | None:
    if told is None:
        return None
    return AwaitedCloses(
        {handle(row): None if due is None else float(due) for row, due in told},
        float(at),
        {handle(row): text(name) for row, name in under_way},
        {
            handle(each["handle"]): OpenParts(
                text(each["part"]),
                whole(each["count"]),
                handle(each["first"]),
                tuple(text(holder) for holder in each["holders"]),
            )
            for each in parts
        },
    )


def _failed(told: Sequence[Mapping[str, Any]] | None) -> tuple[FailedCallback, ...] | None:
    if told is None:
        return None
    return tuple(
        FailedCallback(
            method=text(each["method"]),
            error=text(each["error"]),
            place=text(each["place"]),
            count=whole(each["count"]),
            handles=tuple((handle(number), whole(count)) for number, count in each["handles"]),
            newest_of=frozenset(map(handle, each.get("newest_of", ()))),
            has_more_objects=bool(each.get("has_more_rows", False)),
        )
        for each in told
    )


def _closed_use(fields: Mapping[str, Any]) -> ClosedUse:
    return ClosedUse(
        text(fields["type"]),
        text(fields["method"]),
        whole(fields["count"]),
        whole(fields["used_site"]),
        whole(fields["closed_site"]),
        tuple(handle(number) for number in fields["handles"]),
    )


def _declared(fields: Mapping[str, Any]) -> DeclaredClass:
    return DeclaredClass(
        cls=text(fields["class"]),
        source=text(fields["source"]),
        is_followed=bool(fields["is_followed"]),
        rows=whole(fields["rows"]),
        waits_for=text(fields["waits_for"]),
        trouble=text(fields["trouble"]),
        is_unseen=bool(fields.get("unseen", False)),
        followed_by=text(fields.get("followed_by", "")),
        closes=text(fields.get("closes", "")),
    )
