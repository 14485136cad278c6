"""Builds the native library.

Cargo first (a static library and its C header), then cffi's API-mode module over it.

Everything else is in pyproject.toml.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

if TYPE_CHECKING:
    from cffi import FFI
    from cffi.model import BaseTypeByIdentity

ROOT = Path(__file__).resolve().parent
NATIVE = ROOT / "native"
HEADER = NATIVE / "include" / "arc_inspector.h"
LIBRARY = NATIVE / "target" / "release" / "libarc_inspector_native.a"
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
OF_C_ALONE = r"^[\w *]*\bai_(proxies|instances|owners|stacks|types|heap|transit)_\w+\([^;]*;\n"
"""What ``native/python`` calls and Python does not: ``follow.rs``, ``proxies.rs`` and
``instances.rs`` of ``native/crates/ffi``."""
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
RESOURCES = ("fleet", "icons", "themes")
BACKENDS = ROOT / "inspector" / "attach" / "backends"
MINORS = ("311", "312", "313", "314")
"""Interpreters into which the agent can be brought although their environment has no cffi."""


def cargo() -> None:
    """Build the static library; its build script writes the header.

    As a static library alone, it is optimised across its crates.
    """
    if shutil.which("cargo") is None:
        raise SystemExit(
            "building arc-inspector needs Rust: no cargo on PATH (see README.md, Install)"
        )
    subprocess.run(
        [
            "cargo",
            "rustc",
            "--release",
            "--locked",
            "--lib",
            "--package",
            "arc-inspector-native",
            "--crate-type",
            "staticlib",
        ],
        cwd=NATIVE,
        check=True,
    )


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
    declared = {name: kind for name, (kind, _) in interface()._parser._declarations.items()}
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


def fetch_backends() -> None:
    """Put cffi's own backends for the other interpreters beside the attaching code.

    A missing backend is reported, and is no failure.
    """
    import cffi

    BACKENDS.mkdir(exist_ok=True)
    for minor in MINORS:
        name = f"_cffi_backend.cpython-{minor}-x86_64-linux-gnu.so"
        if not (BACKENDS / name).exists() and not fetch_backend(cffi.__version__, minor, name):
            print(
                f"no {name}: targets with that interpreter need a cffi of their own",
                file=sys.stderr,
            )


def fetch_backend(version: str, minor: str, name: str) -> bool:
    """One backend, out of cffi's wheel for that interpreter."""
    wanted = [
        "--python-version",
        f"{minor[0]}.{minor[1:]}",
        "--implementation",
        "cp",
        "--abi",
        f"cp{minor}",
        "--platform",
        "manylinux2014_x86_64",
    ]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            *wanted,
            "-d",
            folder,
            f"cffi=={version}",
        ]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return False
        for wheel in Path(folder).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                if name in archive.namelist():
                    (BACKENDS / name).write_bytes(archive.read(name))
                    return True
    return False


def copy_resources(into: Path) -> None:
    """Put the icons and themes beside the window's code, where an installed package finds them."""
    for name in RESOURCES:
        shutil.copytree(
            ROOT / "resources" / name,
            into / "inspector" / "ui" / "resources" / name,
            dirs_exist_ok=True,
        )


class BuildNative(build_ext):
    def run(self) -> None:
        cargo()
        write_source()
        write_stub()
        copy_resources(ROOT)
        fetch_backends()
        super().run()


class BuildPython(build_py):
    def run(self) -> None:
        cargo()
        write_stub()
        copy_resources(ROOT)
        fetch_backends()
        super().run()
        if not self.editable_mode:
            # read by `site` at start of the interpreter; does nothing unless ARC_INSPECTOR is set
            shutil.copy(ROOT / "arc_inspector.pth", Path(self.build_lib) / "arc_inspector.pth")


class Abi3Wheel(bdist_wheel):
    def finalize_options(self) -> None:
        self.py_limited_api = "cp311"
        super().finalize_options()


setup(
    ext_modules=[
        Extension(
            "inspector._native",
            sources=[
                "inspector/_native.c",
                *sorted(
                    str(source.relative_to(ROOT)) for source in (NATIVE / "python").glob("*.c")
                ),
            ],
            include_dirs=["native/include", "native/python"],
            extra_objects=[str(LIBRARY)],
            depends=[
                str(LIBRARY),
                *sorted(
                    str(header.relative_to(ROOT)) for header in (NATIVE / "python").glob("*.h")
                ),
            ],
            libraries=["pthread", "dl", "m"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            extra_compile_args=["-O2"],
            # names of functions stay, and native stacks show them; files and lines are half of the
            # size. The names are of this library alone: no other library of a target finds them
            extra_link_args=["-Wl,--strip-debug,--exclude-libs,ALL,--gc-sections"],
        )
    ],
    cmdclass={"build_ext": BuildNative, "build_py": BuildPython, "bdist_wheel": Abi3Wheel},
)
