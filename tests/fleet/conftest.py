"""Programs that ``./dev fleet`` installs; without it these tests say so and fail."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.helpers.targets import ROOT

INSTALLED = ROOT / "build" / "fleet"


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


free_port_here = free_port
"""Another port."""


@pytest.fixture
def installed() -> Path:
    """The folder of the programs."""
    assert INSTALLED.is_dir(), "run ./dev fleet"
    return INSTALLED


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of the test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
