"""A target that uses the classes of shipped declarations: makes, closes and drops by steps."""

from __future__ import annotations

import importlib
import io
import mmap
import os
import socket
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}
FOLDER = tempfile.TemporaryDirectory()


def load(name: str) -> Any:
    return importlib.import_module(name)


def zmq_context() -> Any:
    return load("zmq").Context()


def zmq_socket() -> Any:
    return load("zmq").Context.instance().socket(load("zmq").PUB)


def h5py_file() -> Any:
    return load("h5py").File(Path(FOLDER.name) / f"{len(KEPT)}.h5", "w")


def tokenizer() -> Any:
    return load("tokenizers").Tokenizer(load("tokenizers").models.WordLevel())


MAKERS: dict[str, Callable[[], Any]] = {
    "socket": socket.socket,
    "mmap": lambda: mmap.mmap(-1, 4096),
    "sqlite3": lambda: sqlite3.connect(":memory:"),
    "files": lambda: io.FileIO(os.devnull),
    "zmq": zmq_socket,
    "context": zmq_context,
    "h5py": h5py_file,
    "duckdb": lambda: load("duckdb").connect(":memory:"),
    "tokenizers": tokenizer,
    "model": lambda: load("tokenizers").models.BPE(),
}


def make(name: str, kind: str) -> None:
    KEPT[name] = MAKERS[kind]()


def close(name: str) -> None:
    KEPT[name].close() if hasattr(KEPT[name], "close") else KEPT[name].term()


def drop(name: str) -> None:
    del KEPT[name]


def main() -> None:
    steps = (make, close, drop)
    serve(
        {step.__name__: step for step in steps} | {"stop": agent.stop},
        segment=agent.start("stacks"),
    )


if __name__ == "__main__":
    main()
