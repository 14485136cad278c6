"""The program's event loop, for methods that are coroutine functions: only the loop's own thread may run them."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Final

RUNNING: Final = ("run_forever", "run_until_complete", "run")
"""Functions of event loops and runners that are on the stack while a loop runs; their ``self`` leads to it."""


def running_loops() -> list[Any]:
    """The event loops of asyncio that run now, on any thread; none without asyncio."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return []
    found: dict[int, Any] = {}
    for innermost in sys._current_frames().values():
        frame: FrameType | None = innermost
        while frame is not None:
            if frame.f_code.co_name in RUNNING and "self" in frame.f_code.co_varnames:
                runs = frame.f_locals.get("self")
                loop = getattr(runs, "_loop", None) if type(runs) is getattr(asyncio, "Runner", None) else runs
                if isinstance(loop, asyncio.AbstractEventLoop) and loop.is_running():
                    found[id(loop)] = loop
            frame = frame.f_back
    return list(found.values())
