"""The extension module ``inspector._hooks``: hooks and scans in C (``native/python``).

It lies in one shared object with cffi's module, since both work on the one recorder of the process;
so the import system, which looks for a file of a module's own name, does not find it by itself.
"""

from __future__ import annotations

from _frozen_importlib import module_from_spec, spec_from_loader
from _frozen_importlib_external import ExtensionFileLoader
from typing import Any, Final

from inspector import _native

NAME: Final = f"{__name__.partition('.')[0]}._hooks"


def _load() -> Any:
    """Load the second module of the shared object."""
    spec = spec_from_loader(NAME, ExtensionFileLoader(NAME, str(_native.__file__)))
    if spec is None or spec.loader is None:
        raise ImportError("the native library has no place", name=NAME)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hooks: Final = _load()
