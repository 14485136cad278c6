"""The peers that benchmarks compare with, built when they are first asked for."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

NATIVE = Path(__file__).resolve().parents[2] / "native"


def uniffi_todo() -> ModuleType:
    """The sample TodoList over UniFFI's own generated Python (ctypes)."""
    crate = NATIVE / "peers" / "uniffi_todo"
    bindings = crate / "target" / "python" / "uniffi_todo.py"
    library = crate / "target" / "release" / "libuniffi_todo.so"
    if not bindings.exists():
        build = ["cargo", "build", "--release", "--locked"]
        subprocess.run(build, cwd=crate, check=True, capture_output=True)
        generate = ["cargo", "run", "-q", "--release", "--locked", "--bin", "uniffi-bindgen", "--", "generate", "--library", str(library)]
        subprocess.run([*generate, "--language", "python", "--out-dir", str(bindings.parent)], cwd=crate, check=True, capture_output=True)
        shutil.copy(library, bindings.parent)
    elif not (bindings.parent / library.name).exists():
        shutil.copy(library, bindings.parent)
    spec = importlib.util.spec_from_file_location("uniffi_todo", bindings)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
