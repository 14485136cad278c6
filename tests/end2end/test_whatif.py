"""What-if drops compared with real drops: objects of Rust extension packages, one at a time.

The destructor runs emulated over a copy of the target's memory. Then the target drops the object,
and each count that the emulated destructor lowered is read again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from inspector.attach.outside.memory import OutsideMemory
from inspector.attach.outside.python import find_python
from inspector.attach.outside.released import Released, released_by
from inspector.attach.outside.surroundings import Surroundings
from inspector.attach.outside.whatif import WhatIf
from tests.end2end.test_pyo3_followed import PINNED
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target

OBJECTS = 12
"""Rounds of a package's maker."""
SHARED_BY_ALL = ("int", "str", "type", "NoneType", "bool", "tuple", "bytes")
"""Classes whose objects the target's own steps hold and release as well."""


@dataclass(slots=True)
class Agreement:
    """The figures of one package."""

    dropped: int = 0
    stopped: dict[str, int] = field(default_factory=dict)
    agreed: int = 0
    differing: list[tuple[str, int, int]] = field(default_factory=list)

    def compare(self, memory: OutsideMemory, predicted: Released) -> None:
        """Compare the counts of one object with the counts that its end left."""
        expected = [
            ("arc", each.address, each.strong - 1) for each in predicted.arcs if each.strong > 1
        ]
        for each in predicted.python:
            if each.kind not in SHARED_BY_ALL and not each.ends:
                left = counts_before[each.address] - each.references
                expected.append((each.kind, each.address, left))
        places = np.array([place for _, place, _ in expected], np.uint64)
        for (kind, _, wanted), found in zip(expected, memory.words(places).tolist(), strict=True):
            if found == wanted:
                self.agreed += 1
            else:
                self.differing.append((kind, wanted, found))


counts_before: dict[int, int] = {}


def compared(target: Target) -> Agreement:
    """Drop all objects of a target, each after its what-if drop."""
    memory = OutsideMemory(target.pid)
    figures = Agreement()
    for place in target.ask(f"make {OBJECTS}"):
        around = Surroundings(memory, find_python(target.pid))
        kind = around.kind(around.type_at(place))
        assert kind is not None
        (drop,) = WhatIf(memory).drops([place], [kind.destructor])
        predicted = released_by(drop, around)
        counts_before.clear()
        counts_before.update((each.address, around.word(each.address)) for each in predicted.python)
        target.ask(f"drop {place}")
        figures.dropped += 1
        if predicted.stopped:
            figures.stopped[predicted.stopped] = figures.stopped.get(predicted.stopped, 0) + 1
        else:
            figures.compare(memory, predicted)
    return figures


@pytest.mark.parametrize("package", PINNED)
def test_counts_that_a_destructor_lowers_are_those_that_a_real_drop_leaves(package: str) -> None:
    try:
        folders = [str(package_folder(each)) for each in PINNED[package]]
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("whatif_steps", package, *folders) as target:
        figures = compared(target)
    print(package, json.dumps({"dropped": figures.dropped, "agreed": figures.agreed}), figures)
    assert figures.differing == []
    assert figures.dropped > len(figures.stopped)
    assert sum(figures.stopped.values()) < figures.dropped
