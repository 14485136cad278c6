"""What an unprepared target needs to run the agent, as files: modules, the native library, cffi's backend for its interpreter.

Read from this installation. Any thread.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import _cffi_backend

import inspector
from inspector.errors import AttachError
from inspector.wire import native_file

SCRIPT: Final = "start.py"
REQUEST: Final = "request.json"
BEGUN: Final = "begun"
RESULT: Final = "result.json"
BACKENDS: Final = "backends"
"""Folder beside this module in which the build puts cffi's backends."""
_ROOMS: Final = ("agent", "runtime", "wire")
_NOT_LOADED: Final = frozenset({"inspector.agent.arrival", "inspector.agent.autostart", "inspector.agent.launch"})
"""They do something when imported, or belong to other ways of starting."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files by name."""

    files: Mapping[str, bytes]

    @property
    def size_bytes(self) -> int:
        """Of all together."""
        return sum(map(len, self.files.values()))


def backend_for(minor: tuple[int, int]) -> Path | None:
    """Cffi's backend for CPython of that version; ``None``: this installation has none."""
    name = f"_cffi_backend.cpython-{minor[0]}{minor[1]}-x86_64-linux-gnu.so"
    found = next(iter((Path(__file__).parent / BACKENDS).glob(name)), None)
    if found is not None:
        return found
    own = Path(_cffi_backend.__file__)
    return own if own.name == name else None


def make_bundle(minor: tuple[int, int], *, level: str) -> Bundle:
    """All files for a target with that interpreter. Raises ``AttachError`` when a part of this installation is missing."""
    modules = dict(_modules())
    imports = [name for name in modules if name not in _NOT_LOADED]
    files = {
        SCRIPT: _read(Path(inspector.__file__).parent / "agent" / "arrival.py"),
        REQUEST: json.dumps({"level": level, "imports": imports}).encode(),
        "modules.json": json.dumps(modules).encode(),
        f"code-{importlib.util.MAGIC_NUMBER.hex()}": _compiled(modules),
        "_native.abi3.so": _read(Path(native_file())),
    }
    backend = backend_for(minor)
    if backend is not None:
        files[backend.name] = _read(backend)
    return Bundle(files)


def _modules() -> Iterator[tuple[str, dict[str, Any]]]:
    root = Path(inspector.__file__).parent
    yield "inspector", _module(root / "__init__.py")
    yield "inspector.errors", _module(root / "errors.py")
    for room in _ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), _module(path)


def _module(path: Path) -> dict[str, Any]:
    return {"source": _read(path).decode(), "path": str(path), "is_package": path.name == "__init__.py"}


def _compiled(modules: Mapping[str, Mapping[str, Any]]) -> bytes:
    """For targets with our interpreter's version: their interpreter compiles nothing while others wait for its lock."""
    return marshal.dumps({name: compile(each["source"], each["path"], "exec", dont_inherit=True) for name, each in modules.items()})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AttachError(f"this installation is not whole: {error.strerror}: {path}") from error
