"""UniFFI's proxies in another process: their classes and their contents.

Classes are found by the names in generated code.

The same structure by which the agent knows them from within (``inspector.wire.uniffi``). One
thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.elf import ElfError, ElfFile
from inspector.attach.interpreter import loaded_images
from inspector.attach.outside import layout as at
from inspector.attach.outside.heap import Classes
from inspector.attach.outside.memory import Addresses
from inspector.attach.outside.objects import Entries, Objects
from inspector.attach.procfs import inside, mappings
from inspector.wire import uniffi
from inspector.wire.uniffi import Shape

Ints = npt.NDArray[np.int64]

MODULE: Final = "__module__"
CONVERTERS: Final = ("_UniffiFfiConverterType", "_UniffiConverterType")
WRAPPED: Final = "__wrapped__"
HOOK: Final = "inspector._hooks.Hook"
"""Name of the class whose objects stand in the place of a finaliser where an agent runs
(``native/python/hook.c``)."""
HOOK_ORIGINAL: Final = 24
"""The attribute in which such an object keeps the function that was there before."""
MOST_WRAPPERS: Final = 8
"""Of one function."""
MAKERS: Final = frozenset(shape.make_name for shape in uniffi.SHAPES if shape.make_name)
LONGEST_CLASS_NAME: Final = 256
MOST_FILES: Final = 400
CONTRACT_START: Final = "ffi_"
CONTRACT_SYMBOL: Final = re.compile(CONTRACT_START + r"(\w+?)_uniffi_contract_version")


@dataclass(frozen=True, slots=True)
class SeenClass:
    """A generated class whose instances each own a handle."""

    address: int
    name: str
    origin: str
    shapes: tuple[Shape, ...]
    """More than one where only the instances tell."""
    is_trait: bool


@dataclass(frozen=True, slots=True)
class SeenMap:
    """A map of Python objects that Rust holds."""

    address: int
    holds_tasks: bool = False
    """They are tasks that Rust awaits."""


class Bindings:
    """The generated classes of one process."""

    def __init__(
        self, objects: Objects, classes: Classes, metadata: Callable[[str], int | None]
    ) -> None:
        """Look at all classes.

        ``metadata`` answers with the first byte of a symbol in the libraries of the process.
        """
        self._objects = objects
        self._classes = classes
        self._metadata = metadata
        self._entries = objects.dict_entries(classes.bodies.words(at.TYPE_DICT))
        wanted = {uniffi.FINALISER, MODULE, uniffi.HANDLE_MAP} | {
            name for shape in uniffi.SHAPES for name in (shape.make_name, shape.clone_name) if name
        }
        self._named = objects.named(self._entries.keys, wanted)
        self._functions = np.empty(0, np.uint64)
        self.hidden = 0
        """Classes that are built like generated ones, and whose finaliser is not known: something
        stands in its place."""
        self.proxies = tuple(self._proxies())
        self.maps = tuple(self._maps())
        self.owners = self._owners()
        """Class by address: the generated ones and what the program derived from them."""

    def _attribute(self, name: str) -> dict[int, int]:
        """Value of a class attribute, by the class's line."""
        found = self._entries.of(self._named[name])
        return dict(zip(found.owners.tolist(), found.values.tolist(), strict=True))

    def _proxies(self) -> Iterator[SeenClass]:
        own = {name: self._attribute(name) for name in self._named}
        finalisers = own[uniffi.FINALISER]
        rows = [
            row
            for row in finalisers
            if next(_fitting(lambda each, row=row: row in own[each]), None)  # type: ignore[misc]
        ]
        self._functions, free_names = self._generated(
            np.array([finalisers[row] for row in rows], np.uint64)
        )
        names, origins = self._class_names(rows), self._origins(rows)
        for row, free_name, name, origin in zip(rows, free_names, names, origins, strict=True):
            self.hidden += not free_name and any(
                name in own and row in own[name] for name in MAKERS
            )
            if free_name and name:
                yield SeenClass(
                    address=int(self._classes.addresses[row]),
                    name=name,
                    origin=origin,
                    shapes=tuple(_fitting(lambda each, row=row: each in own and row in own[each])),  # type: ignore[misc]
                    is_trait=self._is_trait(name, free_name),
                )

    def _generated(self, finalisers: Addresses) -> tuple[Addresses, list[str]]:
        """The generated functions, below hooks and wrappers, and the release function of each."""
        functions, free_names = finalisers.copy(), self._free_names(finalisers)
        for _ in range(MOST_WRAPPERS):
            others = np.array(
                [line for line, name in enumerate(free_names) if not name and functions[line]],
                np.int64,
            )
            if not len(others):
                break
            functions[others] = self._wrapped(functions[others])
            for line, name in zip(
                others.tolist(), self._free_names(functions[others]), strict=True
            ):
                free_names[line] = name
        return functions, free_names

    def _wrapped(self, wrappers: Addresses) -> Addresses:
        """The function below each wrapper, 0 where there is none.

        A hook of the inspector keeps it itself; a Python function names it.
        """
        memory = self._objects.memory
        kinds, lines = np.unique(memory.words(wrappers + np.uint64(8)), return_inverse=True)
        is_hook = np.array(
            [
                self.text_at(int(memory.words([kind + at.TYPE_NAME])[0])) == HOOK
                for kind in kinds.tolist()
            ],
            np.bool_,
        )[lines]
        found = np.where(is_hook, memory.words(wrappers + np.uint64(HOOK_ORIGINAL)), np.uint64(0))
        dicts = memory.words(wrappers + np.uint64(self._objects.layout.function_dict))
        entries = self._objects.dict_entries(np.where(is_hook, np.uint64(0), dicts))
        named = entries.of(self._objects.named(entries.keys, {WRAPPED})[WRAPPED])
        found[named.owners] = named.values
        return found

    def _free_names(self, functions: Addresses) -> list[str]:
        """The function of the library that each finaliser calls.

        ``""``: none that releases a handle.
        """
        layout = self._objects.layout
        codes = self._objects.memory.words(functions + np.uint64(layout.function_code))
        lists = self._objects.memory.words(codes + np.uint64(layout.code_names))
        owners, items = self._objects.items(lists)
        found = [""] * len(functions)
        for owner, text in zip(owners.tolist(), self._objects.texts(items), strict=True):
            if uniffi.is_free_name(text):
                found[owner] = found[owner] or text
        return found

    def _class_names(self, rows: Sequence[int]) -> list[str]:
        """As the classes themselves say."""
        places = self._classes.bodies.words(at.TYPE_NAME)[np.array(rows, np.int64)]
        return [self.text_at(int(place)) for place in places.tolist()]

    def name_of(self, kind: int) -> tuple[str, str]:
        """Name and module of any class."""
        rows, is_known = self._classes.row_of(np.array([kind], np.uint64))
        if not is_known[0]:
            name = self.text_at(int(self._objects.memory.words([kind + at.TYPE_NAME])[0]))
            module, _, plain = name.rpartition(".")
            return plain, module or "builtins"
        row = int(rows[0])
        qualified = self._classes.bodies.words(self._objects.layout.qualified_name)[row : row + 1]
        return self._objects.texts(qualified)[0].rpartition("<locals>.")[2], self._origins([row])[0]

    def text_at(self, place: int) -> str:
        """A C text; ``""`` when there is none."""
        found = (
            self._objects.memory.read(place, LONGEST_CLASS_NAME)
            .partition(b"\0")[0]
            .decode("utf-8", "replace")
        )
        return found if found.isprintable() else ""

    def _origins(self, rows: Sequence[int]) -> list[str]:
        modules = self._attribute(MODULE)
        return self._objects.texts(np.array([modules.get(row, 0) for row in rows], np.uint64))

    def _is_trait(self, name: str, free_name: str) -> bool:
        """Whether a class is a trait, as the library's metadata says.

        Without metadata: a trait that Python can implement has a converter with a map.
        """
        kind = self._metadata(uniffi.metadata_symbol(free_name))
        if kind is not None:
            return kind in uniffi.TRAIT_METADATA
        trait = name.removesuffix("Impl")
        return trait != name and any(
            f"{converter}{trait}" in self._map_owners() for converter in CONVERTERS
        )

    def _map_owners(self) -> set[str]:
        return set(self._class_names(list(self._attribute(uniffi.HANDLE_MAP))))

    def _maps(self) -> Iterator[SeenMap]:
        """Every map once, also when converters share it, and the maps of tasks.

        The maps of tasks are globals of the modules.
        """
        for address in set(self._attribute(uniffi.HANDLE_MAP).values()):
            yield SeenMap(address)
        globals_ = np.unique(
            self._objects.memory.words(
                self._functions + np.uint64(self._objects.layout.function_globals)
            )
        )
        entries = self._objects.dict_entries(globals_)
        named = self._objects.named(entries.keys, uniffi.FUTURES)
        for address in np.unique(entries.of(set().union(*named.values())).values).tolist():
            yield SeenMap(address, holds_tasks=True)

    def _owners(self) -> dict[int, SeenClass]:
        by_address = {each.address: each for each in self.proxies}
        rows, bases = self._objects.items(self._classes.bodies.words(at.TYPE_ORDER))
        found = dict(by_address)
        derived = np.isin(bases, np.fromiter(by_address, np.uint64, len(by_address)))
        for row, base in zip(rows[derived].tolist(), bases[derived].tolist(), strict=True):
            found.setdefault(int(self._classes.addresses[row]), by_address[base])
        return found

    def map_entries(self) -> tuple[list[SeenMap], Entries]:
        """Entries of all maps; ``owners`` names the map."""
        places = np.array([each.address for each in self.maps], np.uint64)
        bodies = self._objects.memory.gather(places, 16)
        rows, is_known = self._classes.row_of(bodies.words(8))
        dicts = np.zeros(len(places), np.uint64)
        dicts[is_known] = self._objects.attribute(
            places[is_known], self._classes.bodies, rows[is_known], uniffi.ENTRIES
        )
        return list(self.maps), self._objects.dict_entries(dicts)


def _fitting(has: Callable[[str], bool]) -> Iterator[Shape]:
    """Shapes that agree with a class; a cloning shape excludes the rest."""
    for shape in uniffi.SHAPES:
        if all(has(name) for name in (shape.make_name, shape.clone_name) if name):
            yield shape
            if shape.clone_name is not None:
                return


class Metadata:
    """Bytes that the libraries of a process export, by symbol. Files are read once."""

    def __init__(self, pid: int, objects: Objects) -> None:
        """Nothing is opened yet."""
        self._pid = pid
        self._objects = objects
        self._known: dict[str, int] | None = None

    def __call__(self, symbol: str) -> int | None:
        """First byte at a symbol; ``None`` when no library has it."""
        if self._known is None:
            self._known = dict(_interfaces(self._pid))
        address = self._known.get(symbol)
        found = self._objects.memory.read(address, 1) if address else b""
        return found[0] if found else None


def _interfaces(pid: int) -> Iterator[tuple[str, int]]:
    """Symbols of all interfaces' metadata, and where they lie in the process."""
    mapped = mappings(pid) or ()
    for path in {each.path for each in mapped if each.is_code and ".so" in Path(each.path).name}:
        try:
            image = next(
                loaded_images(pid, [each for each in mapped if each.path == path], lambda _: True)
            )
            with ElfFile(image.path) as file:
                for name, value in file.symbols_with("UNIFFI_META_").items():
                    yield name, value + image.bias
        except ElfError:
            continue


def components(pid: int) -> Iterator[str]:
    """Names of the loaded components over UniFFI.

    Each exports one symbol with its name.
    """
    paths = dict.fromkeys(
        each.path for each in mappings(pid) or () if each.is_code and ".so" in Path(each.path).name
    )
    for path in list(paths)[:MOST_FILES]:
        try:
            with ElfFile(inside(pid, path)) as file:
                names = file.symbols_with(CONTRACT_START)
        except ElfError:
            continue
        yield from (found[1] for name in names if (found := CONTRACT_SYMBOL.fullmatch(name)))
