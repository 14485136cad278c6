"""A target over a package of UniFFI 0.11, which has to be on ``PYTHONPATH``.

``early`` makes two objects before the agent starts.
"""

from __future__ import annotations

import sys
from typing import Any

import u11  # type: ignore[import-not-found]
from stepping import serve

from inspector import agent

KEPT: list[Any] = []


def make(count: str) -> None:
    KEPT.extend(u11.Counter(7) for _ in range(int(count)))


def bump() -> int:
    return int(KEPT[0].bump())


def drop(count: str) -> None:
    del KEPT[-int(count) :]


def attributes() -> dict[str, int]:
    return {name: id(value) for name, value in vars(u11.Counter).items()}


if __name__ == "__main__":
    if "early" in sys.argv:
        make("2")
    steps = (make, bump, drop, attributes)
    serve(
        {step.__name__: step for step in steps} | {"start": agent.start, "stop": agent.stop},
        segment=agent.start("stacks") if "none" not in sys.argv else "",
    )
