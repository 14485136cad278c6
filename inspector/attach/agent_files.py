"""Files that an unprepared target needs to run the agent.

They are modules, the native library and cffi's backend.

Read from this installation. Any thread.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import _cffi_backend

import inspector
from inspector.errors import AttachError
from inspector.wire import native_file

SCRIPT: Final = "start.py"
REQUEST: Final = "request"
BEGUN: Final = "begun"
RESULT: Final = "result"
BACKENDS: Final = "backends"
"""Folder beside this module in which the build puts cffi's backends."""
COPIES: Final = (
    "ast",
    "atexit",
    "bisect",
    "codeop",
    "contextlib",
    "copy",
    "dataclasses",
    "dis",
    "heapq",
    "inspect",
    "json",
    "keyword",
    "linecache",
    "numbers",
    "opcode",
    "_opcode_metadata",
    "pathlib",
    "fnmatch",
    "glob",
    "ntpath",
    "queue",
    "string",
    "struct",
    "threading",
    "token",
    "tokenize",
    "tomllib",
    "traceback",
    "typing",
    "urllib",
    "ipaddress",
    "annotationlib",
    "_weakrefset",
    "weakref",
    "__future__",
    "functools",
    "enum",
    "types",
    "re",
    "collections",
    "reprlib",
    "operator",
    "warnings",
    "copyreg",
    "datetime",
    "_pydatetime",
    "textwrap",
    "_colorize",
)
"""Modules and packages that the agent's modules import, and that those import, as far as they are
written in Python."""
Module = tuple[str, str]
"""Path and source."""
_MARSHAL_VERSION: Final = 2
"""Read by all interpreters."""
_BELOW_ROOMS: Final = ("errors", "plain_text", "source_places")
_ROOMS: Final = ("agent", "runtime", "vocabulary", "wire")
_IMPORTED: Final = ("inspector.agent.process", "inspector.agent.exit_report")
"""They import everything that an agent ever needs. It is imported at once: later the program may
hide modules of the standard library."""


@dataclass(frozen=True, slots=True)
class AgentFiles:
    """Files by name."""

    files: Mapping[str, bytes]

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(map(len, self.files.values()))


def backend_for(minor: tuple[int, int]) -> Path | None:
    """Cffi's backend for CPython of that version; ``None``: this installation has none."""
    name = f"_cffi_backend.cpython-{minor[0]}{minor[1]}-x86_64-linux-gnu.so"
    found = next(iter((Path(__file__).parent / BACKENDS).glob(name)), None)
    if found is not None:
        return found
    own = Path(_cffi_backend.__file__)
    return own if own.name == name else None


def make_agent_files(minor: tuple[int, int], *, level: str, leaves_after_secs: float) -> AgentFiles:
    """All files for a target with that interpreter.

    Raises ``AttachError`` when a part of this installation is missing.

    ``leaves_after_secs``: without a connection for so long the agent leaves by itself; 0: never.
    """
    root = Path(inspector.__file__).parent
    modules = dict(_modules())
    loader = root.parent / "_arc_inspector.py"
    request = {
        "level": level,
        "leaves_after_secs": leaves_after_secs,
        "imports": _IMPORTED,
        "folder": str(root),
        "loader": _without_future(loader).decode(),
        "loader_path": str(loader),
    }
    files = {
        SCRIPT: _without_future(root / "agent" / "bootstrap.py"),
        REQUEST: _packed(request),
        "modules": _packed(modules),
        f"modules-{importlib.util.MAGIC_NUMBER.hex()}": _compiled(modules),
        "copies": _packed(_copies(minor)),
        "_native.abi3.so": _read(Path(native_file())),
    }
    backend = backend_for(minor)
    if backend is not None:
        files[backend.name] = _read(backend)
    return AgentFiles(files)


def _modules() -> Iterator[tuple[str, Module]]:
    """The agent's modules by name without the package's."""
    root = Path(inspector.__file__).parent
    for name in _BELOW_ROOMS:
        yield name, _module(root / f"{name}.py")
    for room in _ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), _module(path)


def library_for(minor: tuple[int, int]) -> Path | None:
    """The standard library of that version: our own, or that of an interpreter on this machine.

    ``None``: there is none to be trusted.
    """
    if minor == sys.version_info[:2]:
        return Path(sysconfig.get_path("stdlib"))
    name = f"python{minor[0]}.{minor[1]}"
    program = shutil.which(name)
    beside = sorted(Path(sys.base_prefix).parent.glob(f"*/lib/{name}"))
    found = [*([Path(program).resolve().parents[1] / "lib" / name] if program else []), *beside]
    return next((each for each in found if _is_trusted(each) and _is_trusted(each / "os.py")), None)


def _is_trusted(path: Path) -> bool:
    """Whether only this user and root can have written there."""
    try:
        seen = path.stat()
    except OSError:
        return False
    return seen.st_uid in (0, os.geteuid()) and not seen.st_mode & stat.S_IWOTH


def _copies(minor: tuple[int, int]) -> dict[str, Module]:
    """Modules of the standard library that the agent needs.

    A program may have been packed without them.
    """
    root = library_for(minor)
    if root is None:
        return {}
    paths = [
        path
        for name in COPIES
        for path in (root / f"{name}.py", *sorted((root / name).glob("*.py")))
        if path.is_file()
    ]
    found = {}
    for path in paths:
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = _module(path)
    return found


def _module(path: Path) -> Module:
    return str(path), _read(path).decode()


def _without_future(path: Path) -> bytes:
    """A file without its future import; it is compiled with the flag for that.

    A packed program may not have the module ``__future__``.
    """
    return _read(path).replace(b"from __future__ import annotations\n", b"\n")


def _packed(value: Any) -> bytes:
    """In a form that every interpreter reads without a module of its library."""
    return marshal.dumps(value, _MARSHAL_VERSION)


def _compiled(modules: Mapping[str, Module]) -> bytes:
    """Compile the files for targets with this interpreter's version.

    Such a target compiles nothing while other threads wait for its lock.
    """
    return marshal.dumps(
        {
            name: (path, compile(text, path, "exec", dont_inherit=True))
            for name, (path, text) in modules.items()
        }
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AttachError(f"this installation is not whole: {error.strerror}: {path}") from error
