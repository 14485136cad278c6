"""What this person declares for every process that they look at: ``adapters.toml`` in their configuration folder."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from inspector.wire.declaration_files import Declared, read_file


def configured_path() -> Path:
    """Where the file is, or would be."""
    return platformdirs.user_config_path("arc-inspector") / "adapters.toml"


def configured() -> Declared:
    """What it declares, and what is wrong with it. Never raises; nothing when there is no file."""
    declared = Declared()
    path = configured_path()
    if path.exists():
        read_file(path, declared)
    return declared
