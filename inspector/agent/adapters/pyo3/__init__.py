"""The adapter of PyO3: classes of Rust extensions, followed without a declaration."""

from __future__ import annotations

from inspector.agent.adapters.pyo3.adapter import Pyo3Adapter

__all__ = ["Pyo3Adapter"]
