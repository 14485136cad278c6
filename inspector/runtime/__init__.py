"""The parts for an application: handles, resources, foreign objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspector.runtime.application import *  # noqa: F403 - the list is there


def __getattr__(name: str) -> Any:
    """Re-export on first use: an agent imports a few modules of this package and no samples."""
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import inspector.runtime.application as application

    return getattr(application, name)
