"""A target with classes that a viewer or a file declares: makes and keeps them by steps."""

from __future__ import annotations

import itertools
import socket
import sys

from stepping import serve

from inspector import agent

KEPT: dict[str, object] = {}
NUMBERS = itertools.count(1)


class Session:
    """Keeps a number as its handle until it is closed."""

    def __init__(self) -> None:
        self._handle: int | None = next(NUMBERS)

    def close(self) -> None:
        self._handle = None


def session(name: str) -> None:
    KEPT[name] = Session()


def pair(name: str) -> None:
    KEPT[name] = socket.socketpair()


def drop(name: str) -> None:
    del KEPT[name]


def is_open(name: str) -> bool:
    kept = KEPT[name]
    return isinstance(kept, Session) and kept._handle is not None


def load(name: str) -> None:
    __import__(name)


def attributes() -> dict[str, int]:
    """Identity of every attribute that a hook could replace."""
    return {
        f"{cls.__name__}.{name}": id(value)
        for cls in (Session, socket.socket)
        for name, value in vars(cls).items()
    }


def main() -> None:
    steps = (session, pair, drop, is_open, load, attributes)
    serve(
        {step.__name__: step for step in steps} | {"stop": agent.stop},
        forget=KEPT.clear,
        segment=agent.start(sys.argv[1] if len(sys.argv) > 1 else "stacks"),
    )


if __name__ == "__main__":
    main()
