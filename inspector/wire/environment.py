"""Environment variables by which a viewer tells a target that it starts what to do. The program itself never sees them."""

from __future__ import annotations

from typing import Final

WAIT_VARIABLE: Final = "ARC_INSPECTOR_WAIT_FD"
"""Descriptor of a pipe: the launcher runs the program when the pipe is written to or closed, so that a short program is seen too."""
