"""Brings the agent into a process that nobody prepared. Its text is run in the target, by injection or by ``sys.remote_exec``.

It finds ``HERE`` among its globals: the path of itself, beside which everything lies that it needs. It needs nothing of the target's
environment but the standard library. The agent's modules are imported from memory, all of them at once, and the one way in is taken away
again; afterwards no file is needed any more. What happened is written to ``result.json``. Nothing that goes wrong here reaches the program.
"""

from __future__ import annotations

import _thread
import importlib
import importlib.machinery
import importlib.util
import json
import marshal
import os
import sys
from types import ModuleType
from typing import Any

PACKAGE = "inspector"
NATIVE = "inspector._native"
BACKEND = "_cffi_backend"


class StagedFinder:
    """Finds the package's modules in what was staged; asked first, as long as it is on ``sys.meta_path``."""

    def __init__(self, folder: str, modules: dict[str, Any], codes: dict[str, Any]) -> None:
        """``modules`` by name: source, path to show, whether it is a package; ``codes`` are compiled for this interpreter, or empty."""
        self.folder = folder
        self.modules = modules
        self.codes = codes

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """For the import system."""
        if name == NATIVE:
            place = f"{self.folder}/_native.abi3.so"
            return importlib.util.spec_from_file_location(name, place, loader=importlib.machinery.ExtensionFileLoader(name, place))
        found = self.modules.get(name)
        if found is None:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=found["path"], is_package=found["is_package"])  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> None:
        """The usual module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        name = module.__name__
        module.__file__ = self.modules[name]["path"]
        code = self.codes.get(name) or compile(self.modules[name]["source"], self.modules[name]["path"], "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this is what importing is


def arrive(place: str) -> None:
    """Start the agent and write down how that went; on a thread of its own."""
    folder = os.path.dirname(place)  # noqa: PTH120 - pathlib may not be loaded in the target
    try:
        os.close(os.open(f"{folder}/begun", os.O_WRONLY | os.O_CREAT, 0o600))
        with open(f"{folder}/request.json", encoding="utf-8") as file:  # noqa: PTH123 - as above
            request = json.load(file)
        result = {"ok": True, "segment": started(folder, request), "python": sys.version.split()[0]}
    except BaseException as error:
        result = {"ok": False, "error": " ".join(f"{error}".split()) or type(error).__name__}
    try:
        with open(f"{folder}/result.new", "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            json.dump(result, file)
        os.replace(f"{folder}/result.new", f"{folder}/result.json")  # noqa: PTH105 - as above
    except OSError:
        pass  # whoever asked has given up and taken the folder away


def started(folder: str, request: dict[str, Any]) -> str:
    """The path of the segment, once the agent runs."""
    if PACKAGE not in sys.modules:
        load(folder, request)
    elif not hasattr(sys.modules[PACKAGE], "__path__") or importlib.util.find_spec(f"{PACKAGE}.agent") is None:
        raise RuntimeError(f"the program has a module of its own that is called {PACKAGE}")
    process = importlib.import_module(f"{PACKAGE}.agent.process")
    return str(process.start(request["level"]))


def load(folder: str, request: dict[str, Any]) -> None:
    """Import all of the agent's modules from what was staged."""
    with open(f"{folder}/modules.json", encoding="utf-8") as file:  # noqa: PTH123 - pathlib may not be loaded in the target
        modules = json.load(file)
    finder = StagedFinder(folder, modules, compiled(folder))
    backend = load_backend(folder)
    sys.meta_path.insert(0, finder)
    try:
        for name in request["imports"]:
            importlib.import_module(name)
    except BaseException:
        for name in [each for each in sys.modules if each == PACKAGE or each.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
        raise
    finally:
        sys.meta_path.remove(finder)
        if backend:
            del sys.modules[BACKEND]  # a cffi that the program finds later brings its own


def compiled(folder: str) -> dict[str, Any]:
    """Modules that the viewer compiled, when its interpreter is of our kind."""
    try:
        with open(f"{folder}/code-{importlib.util.MAGIC_NUMBER.hex()}", "rb") as file:  # noqa: PTH123 - pathlib may not be loaded
            codes: dict[str, Any] = marshal.load(file)  # noqa: S302 - written by the one who made us run
    except OSError:
        return {}
    return codes


def load_backend(folder: str) -> bool:
    """Have ``_cffi_backend`` loaded: the program's own, else the one that was staged. True: the latter."""
    try:
        importlib.import_module(BACKEND)
    except ImportError:
        pass
    else:
        return False
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        place = f"{folder}/{BACKEND}{suffix}"
        if os.path.exists(place):  # noqa: PTH110 - pathlib may not be loaded in the target
            spec = importlib.util.spec_from_file_location(BACKEND, place)
            module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
            sys.modules[BACKEND] = module
            spec.loader.exec_module(module)  # type: ignore[union-attr]
            return True
    raise RuntimeError("the program has no cffi, and none was brought that fits its interpreter")


if "HERE" in globals():
    _thread.start_new_thread(arrive, (globals()["HERE"],))
