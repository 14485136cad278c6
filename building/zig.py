"""zig as the compiler and linker for an older C library, and for another processor.

The package ``ziglang`` brings it. It has the symbols of every C library, so the wheel needs no old
system to be built on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from building.targets import Target

UNWINDER: Final = [
    "_Unwind_Backtrace",
    "_Unwind_DeleteException",
    "_Unwind_FindEnclosingFunction",
    "_Unwind_GetCFA",
    "_Unwind_GetDataRelBase",
    "_Unwind_GetIP",
    "_Unwind_GetIPInfo",
    "_Unwind_GetLanguageSpecificData",
    "_Unwind_GetRegionStart",
    "_Unwind_GetTextRelBase",
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "_Unwind_SetGR",
    "_Unwind_SetIP",
]
"""Functions of ``libgcc_s.so.1``. zig would link a second unwinder instead, which does not know
frames that a program registered with the first."""


def compiler(target: Target) -> list[str]:
    """The words that compile C for the target."""
    return [sys.executable, "-m", "ziglang", "cc", "-target", target.zig, "-fPIC", "-g0"]


def unwinder(target: Target, folder: Path) -> Path:
    """A library to link against in the place of the system's ``libgcc_s.so.1``."""
    folder.mkdir(parents=True, exist_ok=True)
    source, made = folder / "unwinder.c", folder / "libgcc_s.so.1"
    source.write_text("".join(f"void {name}(void) {{}}\n" for name in UNWINDER), encoding="utf-8")
    words = [*compiler(target), "-shared", "-nostdlib", "-Wl,-soname,libgcc_s.so.1"]
    subprocess.run([*words, "-o", str(made), str(source)], check=True)
    return made


def strip_debug(library: Path) -> None:
    """Remove debug information; the names of functions stay, and native stacks show them.

    By the tool that comes with Rust, which knows every processor.
    """
    said = subprocess.run(
        ["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True
    )
    root = Path(said.stdout.strip(), "lib")
    tool = next(root.glob("rustlib/*/bin/rust-objcopy"), Path("objcopy"))
    paths = filter(None, (str(root), os.environ.get("LD_LIBRARY_PATH")))
    environment = {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(paths)}
    subprocess.run([str(tool), "--strip-debug", str(library)], check=True, env=environment)
