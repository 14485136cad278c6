"""The Python interpreter inside another process: which one it is, and where its functions lie.

Found by its exported symbols, read from its file as the process sees it and placed by the memory's
map. Reads only. Any thread.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inspector.attach import procfs
from inspector.attach.elf import ElfError, ElfFile
from inspector.attach.procfs import MappedRange, mappings
from inspector.errors import AttachError

OLDEST: Final = (3, 11)
NEWEST: Final = (3, 14)
"""The newest one whose layout is known; later ones are attached by their own remote interface
only."""
_LIBRARY: Final = re.compile(r"libpython(\d)\.(\d+)(t?)d?\.so.*")
_PYPY: Final = re.compile(r"libpypy.*|pypy[\d.c-]*")
_C_LIBRARY: Final = re.compile(r"libc[.-].*so.*|libpthread[.-].*so.*")
JAVA_LIBRARY: Final = "libjvm.so"
"""The library of each Java virtual machine."""
_MUSL: Final = re.compile(r".*/((ld|libc)[.-]musl-[^/]*|[^/]*-linux-musl/[^/]*)")
"""By the file's name, or where several C libraries live side by side by its folder's."""
_CALLED: Final = (
    "Py_IsInitialized",
    "PyGILState_Ensure",
    "PyRun_SimpleString",
    "PyGILState_Release",
)
_THREADS: Final = ("pthread_create", "pthread_self", "pthread_detach")
_SYSTEM_CALLERS: Final = ("getppid", "getpid", "getuid")
_INSTRUCTION: Final = b"\x0f\x05"
DEBUG_COOKIE: Final = b"xdebugpy"


class MemoryReadError(AttachError):
    """The target's memory cannot be read there."""


class TargetMemory:
    """Reads another process's memory. Use it in ``with``."""

    def __init__(self, pid: int) -> None:
        """Raises ``MemoryReadError`` when that is not allowed."""
        self.pid = pid
        try:
            self._file = procfs.open_memory(pid)
        except OSError as error:
            raise MemoryReadError(f"{error.strerror}: the memory of process {pid}") from error

    def __enter__(self) -> TargetMemory:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        os.close(self._file)

    def read(self, address: int, size_bytes: int) -> bytes:
        """Bytes at an address. Raises ``MemoryReadError``."""
        try:
            found = os.pread(self._file, size_bytes, address)
        except (OSError, OverflowError) as error:
            raise MemoryReadError(
                f"nothing can be read at {address:#x} of process {self.pid}"
            ) from error
        if len(found) < size_bytes:
            raise MemoryReadError(f"nothing can be read at {address:#x} of process {self.pid}")
        return found

    def word(self, address: int) -> int:
        """Eight bytes."""
        return int.from_bytes(self.read(address, 8), "little")


@dataclass(frozen=True, slots=True)
class Image:
    """A file that is loaded into a process."""

    path: str
    """As we can open it."""
    name: str
    """As the process sees it."""
    bias: int
    """The number that is added to the file's addresses."""
    code: tuple[int, int]
    """First byte of its code, and the one behind it."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter in a process."""

    image: Image
    c_library: Image
    version: tuple[int, int, int]
    free_threaded: bool
    runtime: int
    """Address of ``_PyRuntime``; 0: not found."""
    functions: dict[str, int] = field(default_factory=dict)
    """Addresses of what is called, by name."""
    system_call: int = 0
    """Address of a ``syscall`` instruction."""

    @property
    def minor(self) -> tuple[int, int]:
        """``(3, 11)``."""
        return self.version[:2]

    @property
    def text(self) -> str:
        """``CPython 3.11.7``."""
        return f"CPython {'.'.join(map(str, self.version))}" + (
            " free-threaded" if self.free_threaded else ""
        )


@dataclass(frozen=True, slots=True)
class Runtimes:
    """ProcessFacts from a process's map, without opening a file."""

    python: str
    """Name of a CPython library, or ``""``."""
    pypy: bool
    musl: bool
    java: bool = False
    """A Java virtual machine."""


def runtimes(mapped: Sequence[MappedRange]) -> Runtimes:
    """Which language runtimes and C library a process has loaded, by the names of their files."""
    paths = {each.path for each in mapped if each.is_code and each.path.startswith("/")}
    names = {Path(each).name for each in paths}
    return Runtimes(
        python=next((name for name in sorted(names) if _LIBRARY.fullmatch(name)), ""),
        pypy=any(_PYPY.fullmatch(name) for name in names),
        musl=any(_MUSL.fullmatch(path) for path in paths),
        java=JAVA_LIBRARY in names,
    )


def find_interpreter(pid: int) -> Interpreter | None:
    """The CPython in a process, 3.11 or newer; ``None``: there is none.

    Raises ``AttachError`` when its memory or files cannot be read.
    """
    mapped = mappings(pid)
    if mapped is None:
        raise MemoryReadError(f"the memory's map of process {pid} may not be read")
    for image in candidates(pid, mapped):
        with ElfFile(image.path) as file:
            found = file.symbols((*_CALLED, "Py_Version", "_PyRuntime"))
        if all(name in found for name in _CALLED) and "Py_Version" in found:
            return _interpreter(
                pid, mapped, image, {name: value + image.bias for name, value in found.items()}
            )
    return None


def _interpreter(
    pid: int, mapped: Sequence[MappedRange], image: Image, found: dict[str, int]
) -> Interpreter:
    runtime = found.get("_PyRuntime", 0)
    with TargetMemory(pid) as memory:
        packed = int.from_bytes(memory.read(found["Py_Version"], 4), "little")
        version = (packed >> 24, packed >> 16 & 0xFF, packed >> 8 & 0xFF)
        free_threaded = is_free_threaded(memory, runtime, image.name)
    c_library, threads, system_call = _c_library(pid, mapped)
    functions = {name: found[name] for name in _CALLED} | threads
    return Interpreter(image, c_library, version, free_threaded, runtime, functions, system_call)


def is_free_threaded(memory: TargetMemory, runtime: int, name: str) -> bool:
    """Whether the interpreter is free-threaded.

    The offsets that 3.13 and later publish tell it; before that the library's name does.
    """
    if runtime and memory.read(runtime, 8) == DEBUG_COOKIE:
        return memory.word(runtime + 16) != 0
    matched = _LIBRARY.fullmatch(Path(name).name)
    return bool(matched and matched[3])


def _c_library(pid: int, mapped: Sequence[MappedRange]) -> tuple[Image, dict[str, int], int]:
    """The C library with its thread functions and a ``syscall`` instruction.

    Older versions have the thread functions in a separate library.
    """
    threads: dict[str, int] = {}
    image, system_call = None, 0
    for each in loaded_images(pid, mapped, lambda name: bool(_C_LIBRARY.fullmatch(name))):
        with ElfFile(each.path) as file:
            for name, value in file.symbols(_THREADS).items():
                threads.setdefault(name, value + each.bias)
            callers = file.symbols(_SYSTEM_CALLERS)
        if callers:
            image = each
            system_call = system_call or _instruction(
                pid, [value + each.bias for value in callers.values()]
            )
    if image is None or len(threads) < len(_THREADS) or not system_call:
        raise AttachError("its C library is not glibc")
    return image, threads, system_call


def _instruction(pid: int, callers: Sequence[int]) -> int:
    """The first ``syscall`` instruction within these functions; 0: there is none."""
    with TargetMemory(pid) as memory:
        for address in callers:
            at = memory.read(address, 24).find(_INSTRUCTION)
            if at >= 0:
                return address + at
    return 0


def candidates(pid: int, mapped: Sequence[MappedRange]) -> Iterator[Image]:
    """Candidates for an interpreter: its library, then the program itself."""
    yield from loaded_images(pid, mapped, lambda name: bool(_LIBRARY.fullmatch(name)))
    program = procfs.program_name(pid)
    if program:
        yield from loaded_images(pid, mapped, lambda name: name == program)


def loaded_images(
    pid: int, mapped: Sequence[MappedRange], is_wanted: Callable[[str], bool]
) -> Iterator[Image]:
    """Files with code in a process whose name is wanted.

    Raises ``ElfError`` for an unreadable file.
    """
    by_path: dict[str, list[MappedRange]] = {}
    for each in mapped:
        name = each.path.removesuffix(" (deleted)")
        if each.path.startswith("/") and is_wanted(Path(name).name):
            by_path.setdefault(each.path, []).append(each)
    for path, parts in by_path.items():
        if any(each.is_code for each in parts):
            yield _image(pid, path, parts)


def _image(pid: int, path: str, parts: Sequence[MappedRange]) -> Image:
    code = [each for each in parts if each.is_code]
    place = _readable(pid, path, code[0])
    with ElfFile(place) as file:
        # by its code: a program may map the file as data too
        bias = code[0].low - file.address_at(code[0].offset)
    return Image(place, path, bias, (code[0].low, code[-1].high))


def _readable(pid: int, path: str, part: MappedRange) -> str:
    """A path by which this process can open the very file that is mapped.

    It leads through the process's root, or to its mapping when the file was replaced.
    """
    for place in (procfs.inside(pid, path), procfs.mapped_file(pid, part), procfs.program(pid)):
        try:
            if place.stat().st_ino == part.inode:
                return str(place)
        except OSError:
            continue
    raise ElfError(f"the file was replaced or removed since the process started: {path}")
