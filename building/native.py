"""The native library: cargo's static library with its C header, then cffi's module over it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from building.targets import Target

if TYPE_CHECKING:
    from cffi import FFI
    from cffi.model import BaseTypeByIdentity

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "native"
HEADER = NATIVE / "include" / "arc_inspector.h"
EXPORTS = Path(__file__).with_name("exports.map")
"""The symbols that other libraries of a process may find."""
PRELOAD = NATIVE / "preload"
"""The library that is loaded into programs of any language."""
JVM = NATIVE / "jvm"
"""The library that a Java virtual machine loads."""
QUICK = (
    "ai_hottest_level",
    "ai_level",
    "ai_live_handles",
    "ai_set_site",
    "ai_ticks",
    "ai_todo_list_count",
    "ai_todo_list_make",
    "ai_type_level",
    "ai_type_sees_ends",
    "ai_type_unwatch",
    "ai_type_watch",
    "ai_word",
)
"""Calls that keep the interpreter's lock. None of them takes a lock that a thread in Python code
may hold, or runs for long."""
_OF_C = "proxies|instances|owners|stacks|types|heap|transit|classes|search|naming|preload|jvm"
OF_C_ALONE = rf"^[\w *]*\bai_({_OF_C})_\w+\([^;]*;\n"
"""Functions that the C in ``native/python``, ``native/preload`` and ``native/jvm`` calls alone:
``classes.rs``, ``follow.rs``, ``proxies.rs``, ``instances.rs``, ``preload.rs`` and ``jvm.rs`` of
``native/crates/ffi``."""
CALLED_BACK = """
extern "Python" {
    void ai_python_drop(uint64_t key);
    void ai_python_notify(uint64_t key, uint32_t notice, uint64_t item);
    void ai_python_take(uint32_t news, uint64_t handle, uint32_t thread);
    int32_t ai_python_close_proxy(uint64_t handle, int32_t is_asked_only, uint8_t *text, size_t capacity);
    size_t ai_python_close(uint64_t key, uint64_t value, uint8_t *text, size_t capacity);
}
"""
"""Python functions that native code calls, through functions that are compiled:
``inspector.runtime.foreign.callback``."""
STUB = ROOT / "inspector" / "_native.pyi"


def library(target: Target) -> Path:
    """The place where cargo puts the static library."""
    inner = target.rust if target.is_portable else ""
    root = Path(os.environ.get("CARGO_TARGET_DIR") or NATIVE / "target")
    return root / inner / "release" / "libarc_inspector_native.a"


def cargo(target: Target) -> None:
    """Build the static library; its build script writes the header.

    As a static library alone, it is optimised across its crates. A build for another C library
    needs no linker here: zig links it.
    """
    if shutil.which("cargo") is None:
        raise SystemExit(
            "building arc-inspector needs Rust: no cargo on PATH (see README.md, Install)"
        )
    words = ["cargo", "rustc", "--release", "--locked", "--lib"]
    words += ["--package", "arc-inspector-native", "--crate-type", "staticlib"]
    words += ["--target", target.rust] if target.is_portable else []
    subprocess.run(words, cwd=NATIVE, check=True)


def declarations() -> str:
    """The header as cffi's parser wants it.

    Without preprocessor lines, but for numeric constants.
    """
    kept = []
    is_c23 = False
    for line in HEADER.read_text().splitlines():
        constant = re.fullmatch(r"#define (\w+) (.+)", line)
        if constant:
            name, value = constant.groups()
            kept.append(
                f"#define {name} {value if value.isdecimal() and int(value) < 2**31 else '...'}"
            )
        elif line.startswith("#"):
            is_c23 = line.startswith("#if __STDC_VERSION__")
        elif not is_c23:
            kept.append(line)
    return re.sub(OF_C_ALONE, "", "\n".join(kept), flags=re.MULTILINE)


def keep_the_gil(source: str) -> str:
    """Keep the interpreter's lock in short calls that wait for no thread.

    Handing the lock over and taking it back is half of such a call, and invites a switch of threads
    each time.
    """
    for name in QUICK:
        begin = source.index(f"\n_cffi_f_{name}(PyObject")
        end = source.index("\n}\n", begin)
        body, count = re.subn(r" *Py_(BEGIN|END)_ALLOW_THREADS\n", "", source[begin:end])
        if count != 2:
            raise SystemExit(f"cffi wraps {name} in another way than expected")
        source = source[:begin] + body + source[end:]
    return source


def interface() -> FFI:
    """All that the extension declares."""
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(declarations())
    ffi.cdef(CALLED_BACK)
    return ffi


def write_source() -> Path:
    """Let cffi emit the C source of the extension."""
    ffi = interface()
    ffi.set_source("inspector._native", '#include "arc_inspector.h"', py_limited_api=True)
    target = ROOT / "inspector" / "_native.c"
    ffi.emit_c_code(str(target))
    target.write_text(keep_the_gil(target.read_text()))
    return target


def write_stub() -> None:
    """Write the types of the extension's functions and constants, for mypy."""
    # cffi has no public way to list them
    declared = {name: kind for name, (kind, _) in interface()._parser._declarations.items()}  # type: ignore[attr-defined]
    constants = [name.removeprefix("macro ") for name in declared if name.startswith("macro ")]
    constants += [
        each
        for name, kind in declared.items()
        if name.startswith("enum ")
        for each in kind.enumerators
    ]
    functions = {
        name.removeprefix("function "): kind
        for name, kind in declared.items()
        if name.startswith("function ")
    }
    lines = [f"    {name}: Final[int]" for name in constants]
    for name, kind in functions.items():
        parameters = "".join(
            f", _{place}: {python_type(each)}" for place, each in enumerate(kind.args)
        )
        lines.append(
            f"    def {name}(self{parameters}{', /' if parameters else ''}) -> "
            f"{python_type(kind.result)}: ..."
        )
    STUB.write_text(
        "\n".join(
            [
                "from typing import Any, Final",
                "",
                "ffi: Any",
                "lib: _Lib",
                "",
                "class _Lib:",
                *lines,
                "",
            ]
        )
    )


def python_type(kind: BaseTypeByIdentity) -> str:
    """The type that cffi takes and gives; ``Any`` for pointers and structures."""
    from cffi import model

    if isinstance(kind, model.VoidType):
        return "None"
    if not isinstance(kind, model.PrimitiveType | model.EnumType):
        return "Any"
    return {"bool": "bool", "_Bool": "bool", "double": "float", "float": "float"}.get(
        kind.get_c_name(), "int"
    )
