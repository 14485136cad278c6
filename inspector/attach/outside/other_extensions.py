"""Classes of extensions that are not PyO3's, in another process: they are counted, not listed.

A class belongs to the library that its destructor is mapped from. The interpreter's own library and
the standard library's extensions are left out. Classes that are no heap types are not found from
outside. Pure but for the files of the libraries; one thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from inspector.attach import procfs
from inspector.attach.outside import layout as at
from inspector.attach.outside.heap import Classes
from inspector.attach.outside.memory import Addresses
from inspector.attach.outside.seen import SeenLibrary
from inspector.attach.procfs import MappedRange
from inspector.wire.pyo3_libraries import binding_of, library_name

STANDARD: Final = "/lib-dynload/"
OF_TOOL: Final = ("_cffi_backend", "_native", "_preload")
"""How the files of libraries begin that the tool's agent loads itself."""


def other_libraries(classes: Classes, code: Sequence[MappedRange]) -> dict[int, str]:
    """The library of each class of an extension, by the line of the class.

    Metaclasses are left out. ``code``: the executable parts of the process.
    """
    functions = classes.bodies.words(at.TYPE_DEALLOC)
    flags = classes.bodies.words(at.TYPE_FLAGS)
    lows = np.array([each.low for each in code], np.uint64)
    order = np.argsort(lows)
    place = np.searchsorted(lows[order], functions, side="right") - 1
    found: dict[int, str] = {}
    for line, (at_, function) in enumerate(zip(place.tolist(), functions.tolist(), strict=True)):
        if at_ < 0 or int(flags[line]) & at.IS_TYPE_OF_TYPES:
            continue
        each = code[int(order[at_])]
        if function < each.high and is_extension(each.path):
            found[line] = each.path
    return found


def seen_libraries(
    pid: int,
    libraries: dict[int, str],
    classes: Classes,
    kinds: Addresses,
    loaded: Iterable[str],
) -> tuple[SeenLibrary, ...]:
    """Each library with its classes and its living objects, whose classes are ``kinds``.

    ``loaded``: further libraries, of which no class was found.
    """
    alive = Counter(kinds.tolist())
    lines: dict[str, list[int]] = {path: [] for path in loaded if is_extension(path)}
    for line, path in libraries.items():
        lines.setdefault(path, []).append(line)
    return tuple(
        SeenLibrary(path, _binding(pid, path), len(own), _sum(classes, own, alive))
        for path, own in lines.items()
    )


def loaded_extensions(pid: int) -> list[tuple[str, str]]:
    """Name and maker of each extension module that a process has loaded, PyO3's first."""
    mapped = procfs.mappings(pid) or ()
    paths = dict.fromkeys(each.path for each in mapped if each.is_code and is_extension(each.path))
    found = {(library_name(path), _binding(pid, path) or "native") for path in paths}
    return sorted(found, key=lambda each: (not each[1].startswith("PyO3"), each))


def _sum(classes: Classes, lines: Iterable[int], alive: Counter[int]) -> int:
    return sum(alive[int(classes.addresses[line])] for line in lines)


def is_extension(path: str) -> bool:
    """Whether a file is an extension module that is neither the standard library's nor ours."""
    name = path.rpartition("/")[2]
    is_module = (
        ".cpython-" in name
        or ".abi3.so" in name
        or (name.endswith(".so") and not name.startswith("lib"))
    )
    return is_module and not name.startswith(OF_TOOL) and STANDARD not in path


def _binding(pid: int, path: str) -> str:
    return binding_of(procfs.inside(pid, path), path)
