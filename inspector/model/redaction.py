"""Redaction: private parts are left out of everything that leaves the tool.

One ``Redactor`` serves files, pictures, JSON and exports. A person at the window or the terminal
sees everything; a file or a page for a colleague does not. Pure; a redactor belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

import numpy as np

from inspector.model.holders import Cycle, CycleNode, NamedHolder, PathStep
from inspector.model.private_texts import COMMAND, LABELS, PARTS, Part, Private, Texts
from inspector.model.snapshot import Handles, Snapshot, Target
from inspector.model.stacks import Frame, Site

Value = TypeVar("Value")

_OF_FIELD: Final[Mapping[tuple[type, str], str]] = MappingProxyType(
    {
        (Target, "command"): "command",
        (Target, "executable"): "path",
        (Frame, "file"): "path",
        (Frame, "library"): "path",
        (PathStep, "file"): "path",
        (PathStep, "text"): "labelled",
        (CycleNode, "file"): "path",
        (CycleNode, "text"): "labelled",
        (CycleNode, "edge"): "labelled",
        (Cycle, "cut"): "labelled",
    }
)
"""Fields with a rule of their own; any other text of any dataclass is a plain text."""
_OF_KEY: Final = MappingProxyType(
    {"command": "command", "executable": "path", "file": "path", "library": "path"}
)
"""The same for objects of JSON."""
_REMEMBERED: Final = 200_000
"""Rows that are remembered, so that the next snapshot need not be read again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The parts that are not left out, by their keys."""

    parts: frozenset[str] = frozenset()

    def __contains__(self, part: Part) -> bool:
        """Whether the part is kept."""
        return part.key in self.parts


NOTHING_KEPT: Final = Kept()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part that was left out or replaced."""

    part: Part
    texts: tuple[str, ...]
    """The private texts, each once, as they were."""

    def __str__(self) -> str:
        """``paths outside the project (12)``."""
        return f"{self.part.title} ({len(self.texts):,})"


class Redactor:
    """Leaves private parts out of values of the model and out of JSON, and counts them."""

    def __init__(self, private: Private, kept: Kept = NOTHING_KEPT) -> None:
        """``private``: known names and folders; ``kept``: parts that the person wants to send."""
        self._texts = Texts(private, kept.parts)
        self._rows: dict[Any, Any] = {}

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot without private parts; its columns are the same arrays."""
        self.learn(snapshot)
        return self.of(snapshot)

    def learn(self, snapshot: Snapshot) -> None:
        """Look for secrets in the command line, and for users in the paths.

        Texts that are redacted afterwards lose them wherever they stand.
        """
        self.learn_command(snapshot.target.command, snapshot.target.executable)
        new = [site for site in snapshot.sites.values() if site not in self._rows]
        stacks = [*(site.frames for site in new), *(each.frames for each in snapshot.stacks)]
        for frame in chain.from_iterable(stacks):
            self._texts.learn_users(frame.file)
            self._texts.learn_users(frame.library)

    def learn_command(self, command: str, executable: str = "") -> None:
        """Look for secrets in a command line, and for users in its paths."""
        self._texts.learn_command(command)
        for path in (command, executable):
            self._texts.learn_users(path)

    def of(self, value: Value) -> Value:
        """Any value of the model: dataclasses, tuples, mappings and texts."""
        return cast("Value", self._walked(value))

    def json(self, value: Any, key: str = "") -> Any:
        """A value of JSON, whose objects may have the keys ``command`` and ``file``."""
        if isinstance(value, str):
            return self._ruled(_OF_KEY.get(key, "text"), value) or None
        if isinstance(value, Mapping):
            return {name: self.json(each, name) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(each, key) for each in value]
        return value

    def text(self, text: str) -> str:
        """A sentence or a name."""
        return self._texts.text(text)

    def left_out(self) -> tuple[LeftOut, ...]:
        """The parts that were left out so far, in the order of ``PARTS``."""
        found = self._texts.found
        return tuple(
            LeftOut(part, tuple(sorted(found[part.key]))) for part in PARTS if found[part.key]
        )

    def sentence(self) -> str:
        """``left out: command line (1), paths outside the project (12)``; ``""``: nothing."""
        parts = self.left_out()
        return f"left out: {', '.join(map(str, parts))}" if parts else ""

    def _walked(self, value: Any) -> Any:
        if isinstance(value, Enum | np.ndarray | Handles):
            return value
        if isinstance(value, str):
            return self._texts.text(value)
        if isinstance(value, Frame | Site):
            return self._remembered(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._row(value)
        if isinstance(value, tuple):
            walked = tuple(map(self._walked, value))
            return (
                value if all(new is old for new, old in zip(walked, value, strict=True)) else walked
            )
        if isinstance(value, Mapping):
            return MappingProxyType({key: self._walked(each) for key, each in value.items()})
        return value

    def _remembered(self, value: Any) -> Any:
        """A row that comes again with each snapshot."""
        known = self._rows.get(value)
        if known is None:
            if len(self._rows) >= _REMEMBERED:
                self._rows.clear()
            known = self._rows[value] = self._row(value)
        return known

    def _row(self, value: Any) -> Any:
        if isinstance(value, NamedHolder) and not value.type and not value.handle:
            value = replace(value, label=self._ruled("label", value.label))
        changed = {}
        for name, rule in _text_fields(cast("Hashable", type(value))):
            old = getattr(value, name)
            new = self._ruled(rule, old) if rule else self._walked(old)
            if new is not old:
                changed[name] = new
        return replace(value, **changed) if changed else value

    def _ruled(self, rule: str, text: str) -> str:
        return str(getattr(self._texts, rule)(text))


@lru_cache
def _text_fields(row_type: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a dataclass and their rules; ``""``: walked by its value."""
    return tuple((each.name, _OF_FIELD.get((row_type, each.name), "")) for each in fields(row_type))


__all__ = [
    "COMMAND",
    "LABELS",
    "NOTHING_KEPT",
    "PARTS",
    "Kept",
    "LeftOut",
    "Part",
    "Private",
    "Redactor",
]
