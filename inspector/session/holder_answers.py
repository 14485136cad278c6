"""Answers about holders as the model's own types.

The target's answer is checked: it may be any process. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from inspector.errors import ControlError
from inspector.model.holders import (
    Cycle,
    CycleNode,
    CycleReport,
    NamedHolder,
    NativeHolders,
    PathStep,
    RetainerPath,
    Retainers,
)
from inspector.session.answers import handle, moment, require_ok, text, whole
from inspector.wire.messages import Answer

Found = TypeVar("Found")


def retainers_in(answer: Answer) -> Retainers:
    """The answer about the holders of a proxy. Raises ``ControlError``."""
    fields = require_ok(answer).fields
    return _checked(lambda: _retainers(fields), answer)


def native_holders_in(answer: Answer) -> NativeHolders:
    """The answer to *which native references have a name*. Raises ``ControlError``."""
    fields = require_ok(answer).fields
    return _checked(lambda: _native_holders(fields), answer)


def cycles_in(answer: Answer) -> CycleReport:
    """The answer to *which cycles are there*. Raises ``ControlError``."""
    fields = require_ok(answer).fields
    return _checked(lambda: _cycles(fields), answer)


def own_destructors_in(answer: Answer) -> dict[int, int]:
    """Each followed class's own destructor, by the class's address, in a report of the adapters.

    Raises ``ControlError``.
    """
    fields = require_ok(answer).fields
    return _checked(
        lambda: {whole(cls): whole(place) for cls, place in fields.get("destructors", ())}, answer
    )


def _checked(build: Callable[[], Found], answer: Answer) -> Found:
    """The target's answer is checked: it may be any process."""
    try:
        return build()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ControlError("the target's answer is not understood") from error


def _retainers(fields: Mapping[str, Any]) -> Retainers:
    return Retainers(
        paths=tuple(
            RetainerPath(
                tuple(map(_step, path["steps"])), bool(path["root"]), whole(path.get("top", 0))
            )
            for path in fields["paths"]
        ),
        holders=whole(fields["holders"]),
        looked_at=whole(fields["looked_at"]),
        is_cut=bool(fields["is_cut"]),
        longest_step_secs=moment(fields["longest_step_ms"]) / 1000,
        references=int(fields.get("references", -1)),
        known_references=int(fields.get("known_references", -1)),
        hides_referents=text(fields.get("hides_referents", "")),
        address=whole(fields.get("address", 0)),
    )


def _step(fields: Mapping[str, Any]) -> PathStep:
    return PathStep(
        text(fields["kind"]), text(fields["text"]), text(fields["file"]), whole(fields["line"])
    )


def _native_holders(fields: Mapping[str, Any]) -> NativeHolders:
    named = [
        NamedHolder(
            text(one["label"]),
            whole(one["count"]),
            text(one["type"]),
            handle(one["from"]),
            bool(one.get("exact", True)),
        )
        for one in fields["fields"]
    ]
    named += [NamedHolder(text(one["label"]), whole(one["count"])) for one in fields["labels"]]
    return NativeHolders(tuple(named), whole(fields["unread"]), whole(fields["unnamed"]))


def _cycles(fields: Mapping[str, Any]) -> CycleReport:
    cycles = [
        Cycle(tuple(map(_node, one["nodes"])), text(one["cut"]), bool(one["exact"]))
        for one in fields["cycles"]
    ]
    hidden = tuple(map(text, fields.get("hidden_kinds", ())))
    return CycleReport(
        tuple(cycles),
        whole(fields["count"]),
        whole(fields["looked_at"]),
        bool(fields["is_cut"]),
        hidden,
    )


def _node(fields: Mapping[str, Any]) -> CycleNode:
    return CycleNode(
        side="python" if fields["side"] == "python" else "native",
        text=text(fields["text"]),
        edge=text(fields["edge"]),
        handle=handle(fields.get("handle", 0)),
        file=text(fields.get("file", "")),
        line=whole(fields.get("line", 0)),
        is_exact=bool(fields.get("exact", True)),
    )
