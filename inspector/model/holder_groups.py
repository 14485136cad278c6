"""Equal holder paths of several objects, grouped: "5 of 5 looked at are held this way". Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from inspector.model.holders import PathStep, RetainerPath, Retainers, UnseenHolder

_NUMBERS: Final = re.compile(r" at 0x[0-9a-f]+")
_DIGITS: Final = re.compile(r"\d+")
ARROW: Final = " → "
NOTHING: Final = "nothing in Python"
UNSEEN: Final = "unknown to the collector"
NO_ROOT: Final = "no root found"


@dataclass(frozen=True, slots=True)
class HolderGroup:
    """Objects that are held in the same way."""

    expression: str
    """``app.CACHE → [*] of a list``: from the root down, numbers as ``*``."""
    steps: tuple[PathStep, ...]
    """The path of the first of them."""
    is_rooted: bool
    handles: tuple[int, ...]

    @property
    def root(self) -> str:
        """The first step alone, for one line: ``CACHE`` of ``global app.CACHE``."""
        first = self.expression.partition(ARROW)[0]
        if not self.is_rooted:
            return first
        name = first.removeprefix("global ").rpartition(".")[2]
        return name if name and " " not in name else first


def step_text(step: PathStep) -> str:
    """A step without addresses, and with ``*`` for each number."""
    return _DIGITS.sub("*", _NUMBERS.sub("", step.text))


def unseen_text(holder: UnseenHolder) -> str:
    """A holder without its address."""
    return _NUMBERS.sub("", holder.text)


def expression_of(path: RetainerPath) -> str:
    """One line for a path, equal for paths that are alike."""
    steps = ARROW.join(step_text(step) for step in path.steps)
    return steps if path.is_rooted else f"{NO_ROOT}{ARROW}{steps}"


def expression_of_all(found: Retainers) -> str:
    """The shortest path; without one the first holder that the collector does not know."""
    if found.paths:
        return expression_of(found.paths[0])
    certain = next((each for each in found.unseen if each.is_certain), None)
    return NOTHING if certain is None else f"{UNSEEN}{ARROW}{unseen_text(certain)}"


def grouped_holders(found: Mapping[int, Retainers]) -> tuple[HolderGroup, ...]:
    """The handles by their shortest path, the largest group first."""
    groups: dict[str, list[int]] = {}
    for handle, retainers in found.items():
        groups.setdefault(expression_of_all(retainers), []).append(handle)
    made = []
    for expression, handles in groups.items():
        paths = found[handles[0]].paths
        steps = paths[0].steps if paths else ()
        is_rooted = bool(paths) and paths[0].is_rooted
        made.append(HolderGroup(expression, steps, is_rooted, tuple(handles)))
    return tuple(sorted(made, key=lambda group: -len(group.handles)))


def summary(group: HolderGroup, looked_at: int) -> str:
    """``5 of 5 looked at are held this way``."""
    count = len(group.handles)
    return f"{count:,} of {looked_at:,} looked at {'is' if count == 1 else 'are'} held this way"
