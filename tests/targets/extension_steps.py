"""A target with objects of an extension module that knows nothing of the inspector.

``extension_steps.py FOLDER MODULE``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from stepping import serve

from inspector import agent

KEPT: list[Any] = []


def main() -> None:
    folder, name = sys.argv[1:]
    sys.path.append(folder)
    module = importlib.import_module(name)

    def map_called(count: str) -> None:
        """Instances that the class makes when it is called."""
        KEPT.extend(module.HashTrieMap({"a": number}) for number in range(int(count)))

    def map_returned(count: str) -> None:
        """Instances that a method returns; the instances it is called on are dropped at once."""
        KEPT.extend(
            module.HashTrieMap({"a": number}).insert("b", 2) for number in range(int(count))
        )

    def url(count: str) -> None:
        """Instances of a class that nanobind made, which looks up no initialiser."""
        KEPT.extend(module.Url(f"http://example.org/{number}") for number in range(int(count)))

    steps = {step.__name__: step for step in (map_called, map_returned, url)}
    steps["stop"] = agent.stop
    serve(steps, forget=KEPT.clear, segment=agent.start("count"))


if __name__ == "__main__":
    main()
