"""The file in which this person declares what is followed in every process that they look at."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def configured_path() -> Path:
    """``adapters.toml`` in their configuration folder; the file may not be there."""
    return platformdirs.user_config_path("arc-inspector") / "adapters.toml"
