"""Makes and drops objects of an extension that is not PyO3's, and compares them with its rows.

``named_packages.py PACKAGE CLASS FOLDER...``: the class is followed because it is named. Prints,
for objects older than the adapter, for later births and after ends, how many objects the program
holds, and the declaration's state with its rows.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.vocabulary import Level
from inspector.wire import lib
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import parse_declarations

FOLDER = tempfile.TemporaryDirectory()
KEPT: dict[str, Any] = {}


def kept(name: str, make: Callable[[], Any]) -> Any:
    """An object that is made once."""
    if name not in KEPT:
        KEPT[name] = make()
    return KEPT[name]


def liburlparser(module: Any) -> Any:
    """Made by nanobind, whose births reach neither slot."""
    return module.Url("http://example.org/")


def lmdb(module: Any) -> Any:
    """Made in C by a method, of a class that says it is of ``builtins``."""
    environment = kept(
        "environment", lambda: module.open(FOLDER.name, max_readers=2000, lock=False)
    )
    return environment.begin()


def pygit2(module: Any) -> Any:
    """Made in C by a method, of a class that is no heap type."""
    repository = kept("repository", lambda: module.init_repository(FOLDER.name, bare=True))
    return repository[repository.create_blob(b"some")]


def duckdb(module: Any) -> Any:
    """Made by pybind11, by a function."""
    return module.connect(":memory:")


def zmq(module: Any) -> Any:
    """Made by Cython."""
    return module.Frame(b"some")


def lxml(module: Any) -> Any:
    """Made by Cython, by a function, with a base class of Cython's."""
    return importlib.import_module("lxml.etree").fromstring("<a><b/></a>")


MAKERS: dict[str, Callable[[Any], Any]] = {
    each.__name__: each for each in (liburlparser, lmdb, pygit2, duckdb, zmq, lxml)
}


def settle(adapter: Pyo3Adapter, declared: DeclaredAdapter) -> Iterator[None]:
    """Polls, as the worker does."""
    while True:
        adapter.poll()
        declared.poll()
        yield


def main() -> None:
    name, cls, *folders = sys.argv[1:]
    sys.path[:0] = folders
    module, objects = importlib.import_module(name), []

    def make(count: int) -> None:
        for number in range(count):
            made = MAKERS[name](module)
            if number % 3:
                objects.append(made)
        del made
        gc.collect()

    moment = [0.0]
    make(150)
    lib.ai_set_level(Level.HISTORY)
    adapter = Pyo3Adapter(clock=lambda: moment[0])
    declarations, troubles = parse_declarations([{"class": cls}], "named")
    assert not troubles, troubles
    declared = DeclaredAdapter(Declared(declarations), hosts=(adapter,))
    adapter.attach()
    declared.attach()
    polls = settle(adapter, declared)

    def tell() -> None:
        for _ in range(400):
            moment[0] += 60.0
            next(polls)
        (state,) = declared.states()["declared"]
        print(json.dumps({"held": len(objects), **state}))

    tell()
    make(300)
    tell()
    del objects[: len(objects) // 2]
    gc.collect()
    tell()
    declared.detach()
    adapter.detach()
    objects.clear()


if __name__ == "__main__":
    main()
