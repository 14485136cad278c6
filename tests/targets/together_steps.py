"""A target over several unmodified packages of UniFFI at once.

Arguments: pairs of a family (``glean``, ``nostr``, ``bdk``) and the folder that its package is in;
    ``none`` does not start the agent.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from generation_steps import FAMILIES, KEPT, attributes, names, share
from stepping import serve

from inspector import agent


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "none"]
    families: dict[str, Any] = {
        name: FAMILIES[name](Path(folder))
        for name, folder in zip(words[::2], words[1::2], strict=True)
    }

    def make(name: str, family: str, method: str = "make") -> str:
        """``make NAME FAMILY [METHOD]``; answers the class."""
        KEPT[name] = getattr(families[family], method)()
        return names(KEPT[name])

    serve(
        {step.__name__: step for step in (make, share, attributes)}
        | {"drop": lambda name: KEPT.pop(name) and None, "start": agent.start, "stop": agent.stop},
        forget=KEPT.clear,
        segment=agent.start("history") if "none" not in sys.argv else "",
    )


if __name__ == "__main__":
    main()
