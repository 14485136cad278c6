"""The part that runs in the target: ``start()``, ``stop()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspector.agent.process import is_running, set_level, start, stop

__all__ = ["is_running", "set_level", "start", "stop"]


def __getattr__(name: str) -> Any:
    """Re-export on first use: every program imports this package and must not break by it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inspector.agent import process

    return getattr(process, name)
