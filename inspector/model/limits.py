"""The limited resources of a target, and how near each limit is. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass

MEMORY = "MiB of memory"
"""Memory of the process's own: allocators make it grow, whatever lives in it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something of which there is only so much."""

    name: str
    """``handles``, ``threads``, ``file descriptors`` …"""
    used: int
    capacity: int

    @property
    def share(self) -> float:
        """Share of the capacity: 0.5 is half of it."""
        return self.used / self.capacity if self.capacity > 0 else 0.0

    def text(self) -> str:
        """``107 of 12,000 MiB of memory in use``."""
        return f"{self.used:,} of {self.capacity:,} {self.name} in use"
