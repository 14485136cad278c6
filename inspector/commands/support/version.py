"""Which version this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from inspector.wire.schema import LAYOUT_VERSION


def version_line() -> str:
    """``arc-inspector 0.1.0 (segment layout 1)``."""
    try:
        number = version("arc-inspector")
    except PackageNotFoundError:
        number = "from a source tree"
    return f"arc-inspector {number} (segment layout {LAYOUT_VERSION})"
