"""Classes of PyO3's libraries in another process, and their living instances.

PyO3 makes its classes on the heap, and the function that ends an instance lies in the library. So a
class is told by the file that this function is mapped from. Its instances are found as all others
are; most are unknown to the collector, and are told from remains by the block that they lie in.
Counts within a Rust value have no place that can be known from here. One thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.attach import procfs
from inspector.attach.outside import layout as at
from inspector.attach.outside.blocks import are_blocks
from inspector.attach.outside.heap import Classes, Heap
from inspector.attach.outside.memory import Addresses, OutsideMemory
from inspector.attach.outside.objects import Objects
from inspector.attach.outside.other_extensions import other_libraries, seen_libraries
from inspector.attach.outside.seen import SeenLibrary
from inspector.attach.procfs import MappedRange
from inspector.vocabulary import INTERNAL_MODULES
from inspector.wire.pyo3_libraries import Pyo3Library, library_name, pyo3_library

LONGEST_NAME_BYTES: Final = 512
MOST_DEPTH: Final = 64
"""Depth of classes derived from each other."""
NOTHING: Final = np.empty(0, np.uint64)
NO_MODULE: Final = ("", "builtins")
"""PyO3's default when the author names none."""


@dataclass(frozen=True, slots=True)
class ExtensionClass:
    """A class of a library, or one that the program derived from it."""

    address: int
    name: str
    module: str
    """As the class says, or the library's name where it says nothing."""
    library: Pyo3Library
    size_bytes: int
    is_collected: bool
    """The collector knows the instances."""


@dataclass(frozen=True, slots=True)
class Living:
    """The living instances of one class."""

    cls: ExtensionClass
    places: Addresses


def living_extensions(
    objects: Objects, heap: Heap, classes: Classes, notes: list[str]
) -> tuple[list[Living], tuple[SeenLibrary, ...]]:
    """The living instances of PyO3's classes, by class, without the classes of constants.

    Also the extensions that are not PyO3's, whose instances are counted.

    Adds a note for these. One search through the memory when there is such a class, else none.
    Raises ``OutsideError`` when the process has ended.
    """
    known = extension_classes(objects.memory, classes)
    others = _others(objects.memory, classes, known)
    wanted = [*known, *(_plain(classes, line) for line in others)]
    places, kinds = extension_instances(objects, heap, wanted) if wanted else (NOTHING, NOTHING)
    listed = {each.library.name for each in known}
    code = [each for each in procfs.mappings(objects.memory.pid) or () if each.is_code]
    loaded = [each.path for each in code if library_name(each.path) not in listed]
    libraries = seen_libraries(objects.memory.pid, others, classes, kinds, loaded)
    is_known = np.isin(kinds, np.array([each.address for each in known], np.uint64))
    places, kinds = places[is_known], kinds[is_known]
    constants = _constants(objects, classes, known, places, kinds)
    found = [
        Living(each, places[kinds == np.uint64(each.address)])
        for each in known
        if each.address not in constants
    ]
    if constants:
        notes.append(
            f"{len(constants):,} {'class' if len(constants) == 1 else 'classes'} of Rust libraries "
            "have no instances but the constants that they keep themselves, and are not listed"
        )
    return [each for each in found if len(each.places)], libraries


def _others(
    memory: OutsideMemory, classes: Classes, known: Sequence[ExtensionClass]
) -> dict[int, str]:
    """The libraries of the extensions' other classes, by line."""
    rows, _ = classes.row_of(np.array([each.address for each in known], np.uint64))
    code = [each for each in procfs.mappings(memory.pid) or () if each.is_code and each.path]
    found = other_libraries(classes, code)
    lines = sorted(found.keys() - set(rows.tolist()))
    names = _names(memory, classes.bodies.words(at.TYPE_NAME)[lines])
    return {
        line: found[line]
        for line, (module, _) in zip(lines, names, strict=True)
        if not module.startswith(INTERNAL_MODULES)
    }


def _plain(classes: Classes, line: int) -> ExtensionClass:
    """A class whose instances are counted alone: it has no name here."""
    return ExtensionClass(
        address=int(classes.addresses[line]),
        name="",
        module="",
        library=Pyo3Library("", ""),
        size_bytes=int(classes.bodies.words(at.TYPE_BASIC_SIZE)[line]),
        is_collected=bool(int(classes.bodies.words(at.TYPE_FLAGS)[line]) & at.IS_COLLECTED),
    )


def extension_classes(memory: OutsideMemory, classes: Classes) -> list[ExtensionClass]:
    """The classes of PyO3's libraries, and the classes derived from them in Python.

    Raises ``OutsideError`` when the process has ended.
    """
    code = [each for each in procfs.mappings(memory.pid) or () if each.is_code and each.path]
    libraries = _libraries(memory.pid, code, classes.bodies.words(at.TYPE_DEALLOC))
    owners = _with_derived(classes, libraries)
    if not owners:
        return []
    rows = sorted(owners)
    names = _names(memory, classes.bodies.words(at.TYPE_NAME)[rows])
    sizes = classes.bodies.words(at.TYPE_BASIC_SIZE)
    flags = classes.bodies.words(at.TYPE_FLAGS)
    return [
        ExtensionClass(
            address=int(classes.addresses[row]),
            name=name,
            module=owners[row].name if module in NO_MODULE else module,
            library=owners[row],
            size_bytes=int(sizes[row]),
            is_collected=bool(int(flags[row]) & at.IS_COLLECTED),
        )
        for row, (module, name) in zip(rows, names, strict=True)
        if name
    ]


def extension_instances(
    objects: Objects, heap: Heap, classes: Iterable[ExtensionClass]
) -> tuple[Addresses, Addresses]:
    """The living instances of exactly these classes and the class of each, one element each."""
    by_address = {each.address: each for each in classes}
    known = np.array(sorted(by_address), np.uint64)
    places, kinds = heap.counted(known)
    of_class = [by_address[kind] for kind in known.tolist()]
    line = np.searchsorted(known, kinds)
    collected = np.array([each.is_collected for each in of_class], np.bool_)[line]
    head = np.where(collected, at.LINKS_BYTES, 0).astype(np.int64)
    sizes = np.array([each.size_bytes for each in of_class], np.int64)[line] + head
    living = are_blocks(
        objects.memory,
        places - head.astype(np.uint64),
        sizes,
        pool_bytes=objects.layout.pool_bytes,
    )
    unsure = np.flatnonzero(~living & collected)
    living[unsure] = heap.are_alive(places[unsure])
    return places[living], kinds[living]


def _constants(
    objects: Objects,
    classes: Classes,
    known: Sequence[ExtensionClass],
    places: Addresses,
    kinds: Addresses,
) -> set[int]:
    """The classes whose instances are all attributes of the class, as the variants of an enum."""
    found = np.array(sorted({*kinds.tolist()}), np.uint64)
    rows, _ = classes.row_of(found)
    kept = objects.dict_entries(classes.bodies.words(at.TYPE_DICT)[rows])
    pairs = set(zip(found[kept.owners].tolist(), kept.values.tolist(), strict=True))
    free = {
        kind
        for kind, place in zip(kinds.tolist(), places.tolist(), strict=True)
        if (kind, place) not in pairs
    }
    return {each.address for each in known if each.address in set(found.tolist()) - free}


def _libraries(
    pid: int, code: Sequence[MappedRange], functions: Addresses
) -> dict[int, Pyo3Library]:
    """The library that each line's function lies in, where PyO3 made it; no other lines."""
    lows = np.array([each.low for each in code], np.uint64)
    order = np.argsort(lows)
    place = np.searchsorted(lows[order], functions, side="right") - 1
    found: dict[int, Pyo3Library] = {}
    judged: dict[str, Pyo3Library | None] = {}
    for line, (at_, function) in enumerate(zip(place.tolist(), functions.tolist(), strict=True)):
        if at_ < 0 or function >= (each := code[int(order[at_])]).high:
            continue
        if each.path not in judged:
            judged[each.path] = _judged(pid, each)
        library = judged[each.path]
        if library is not None:
            found[line] = library
    return found


def _judged(pid: int, each: MappedRange) -> Pyo3Library | None:
    """By the very file that is mapped, also where it was replaced since."""
    path = procfs.inside(pid, each.path)
    if each.path.endswith(" (deleted)"):
        path = procfs.mapped_file(pid, each)
    return pyo3_library(path, each.path)


def _with_derived(classes: Classes, libraries: dict[int, Pyo3Library]) -> dict[int, Pyo3Library]:
    """These lines, and the lines of all classes whose base is among them."""
    bases, is_known = classes.row_of(classes.bodies.words(at.TYPE_BASE))
    owners = dict(libraries)
    open_ = np.flatnonzero(is_known)
    for _ in range(MOST_DEPTH):
        fresh = [row for row in open_.tolist() if row not in owners and int(bases[row]) in owners]
        if not fresh:
            break
        owners.update((row, owners[int(bases[row])]) for row in fresh)
    return owners


def _names(memory: OutsideMemory, places: Addresses) -> list[tuple[str, str]]:
    """Module and name of classes by their C texts; ``""`` for a text that is none."""
    found = []
    for place in places.tolist():
        text = memory.read(place, LONGEST_NAME_BYTES).partition(b"\0")[0]
        name = text.decode("utf-8", "replace")
        module, _, plain = name.rpartition(".")
        found.append((module, plain) if name.isprintable() else ("", ""))
    return found
