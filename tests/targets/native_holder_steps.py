"""Objects that native objects hold, and that the collector does not tell.

``native_holder_steps.py FOLDER...``: rpds lies in one of the folders, pygit2 and cffi may.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from typing import Any

sys.path[:0] = sys.argv[1:]
KEPT: list[Any] = []


class Request:
    """A plain object of the program."""

    headers: Any


def cycle(count: str) -> None:
    """Requests that are held by a map that they hold."""
    rpds = importlib.import_module("rpds")
    for number in range(int(count)):
        request = Request()
        request.headers = rpds.HashTrieMap({"request": request, "number": number})


def held(_: str = "") -> dict[str, int]:
    """Addresses of objects, by the kind of their only holder."""
    rpds = importlib.import_module("rpds")
    in_map, in_list, in_dict, ended = Request(), Request(), Request(), Request()
    KEPT.extend([rpds.HashTrieMap({"a": in_map}), [in_list], {"a": in_dict}])
    KEPT.append(rpds.List([ended]))
    found = {"map": id(in_map), "list": id(in_list), "dict": id(in_dict), "ended": id(ended)}
    KEPT.pop()
    return found


def blobs(count: str) -> int:
    """Objects of pygit2 that keep their repository in C; its address."""
    pygit2 = importlib.import_module("pygit2")
    path = tempfile.mkdtemp()
    repository = pygit2.init_repository(path)
    places = [repository.create_blob(f"{number}".encode()) for number in range(int(count))]
    KEPT.append([repository[place] for place in places])
    return id(repository)


def maps(count: str) -> list[int]:
    """Maps of rpds; their addresses."""
    rpds = importlib.import_module("rpds")
    made = [rpds.HashTrieMap({"request": Request(), "n": n}) for n in range(int(count))]
    KEPT.append(made)
    return list(map(id, made))


def ballast(mebibytes: str) -> None:
    """Memory with content, which a search goes through."""
    KEPT.extend(bytearray(os.urandom(1 << 20)) for _ in range(int(mebibytes)))


STEPS = {step.__name__: step for step in (cycle, held, blobs, maps, ballast)}

if __name__ == "__main__":
    print("ready", json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        step, *arguments = line.split()
        print(step, json.dumps(STEPS[step](*arguments)), flush=True)
