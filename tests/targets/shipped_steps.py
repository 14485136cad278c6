"""A target that uses the classes of shipped declarations: makes, closes and drops by steps."""

from __future__ import annotations

import importlib
import io
import mmap
import os
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepping import serve

from inspector import agent

sys.path.extend(sys.argv[1:])

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


def environment() -> Any:
    folder = Path(FOLDER.name) / f"{len(KEPT)}.lmdb"
    folder.mkdir(exist_ok=True)
    return load("lmdb").open(str(folder))


def transaction() -> Any:
    if "environment" not in KEPT:
        KEPT["environment"] = environment()
    return KEPT["environment"].begin()


def repository() -> Any:
    return load("pygit2").init_repository(str(Path(FOLDER.name) / "git"), bare=True)


def blob() -> Any:
    if "repository" not in KEPT:
        KEPT["repository"] = repository()
    return KEPT["repository"][KEPT["repository"].create_blob(b"some")]


def server() -> Any:
    return load("grpc").server(load("concurrent.futures").ThreadPoolExecutor(1))


def value() -> Any:
    return load("onnxruntime").OrtValue.ortvalue_from_numpy(load("numpy").zeros(3))


def model_of_runtime() -> Any:
    """A session over the smallest model: the output is the input."""

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    number = field(1, b"\x08\x01\x12\x04" + field(1, b"\x08\x01"))  # one float
    ends = [field(at, field(1, name) + field(2, number)) for at, name in ((11, b"a"), (12, b"b"))]
    node = field(1, field(1, b"a") + field(2, b"b") + field(4, b"Identity"))
    graph = node + field(2, b"graph") + b"".join(ends)
    model = b"\x08\x08" + field(7, graph) + field(8, b"\x10\x0d")
    return load("onnxruntime").InferenceSession(model)


def container() -> Any:
    return load("av").open(io.BytesIO(), "w", format="mp4")


def video() -> Any:
    """A container that is read, of a sound that another one wrote."""
    written = io.BytesIO()
    with load("wave").open(written, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    written.seek(0)
    return load("av").open(written)


def store() -> Any:
    return load("wasmtime").Store()


def source() -> Any:
    """What LiveKit's library gives a handle for."""
    return load("livekit.rtc").VideoSource(16, 16)._ffi_handle


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
    "lmdb": environment,
    "transaction": transaction,
    "pygit2": repository,
    "blob": blob,
    "grpc": lambda: load("grpc").insecure_channel("127.0.0.1:1"),
    "server": server,
    "onnxruntime": model_of_runtime,
    "value": value,
    "av": video,
    "container": container,
    "frame": lambda: load("av").VideoFrame(16, 16, "rgb24"),
    "wasmtime": store,
    "engine": lambda: load("wasmtime").Engine(),
    "livekit": source,
}
CLOSERS = {"context": "term", "livekit": "dispose"}


def make(name: str, kind: str) -> None:
    KEPT[name] = MAKERS[kind]()


def close(name: str, kind: str) -> None:
    getattr(KEPT[name], CLOSERS.get(kind, "close"))()


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
