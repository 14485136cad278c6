"""The systems for which a wheel is built, chosen by one environment variable.

``ARC_INSPECTOR_BUILD_FOR`` is the platform tag of the wheel: ``manylinux_2_28_x86_64``,
``manylinux_2_28_aarch64``, or ``any`` for the pure wheel. Unset: this machine, with its own compiler
and C library.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "ARC_INSPECTOR_BUILD_FOR"
PURE: Final = "any"
GLIBC: Final = "2.28"
MACHINES: Final = ("x86_64", "aarch64")
PORTABLE: Final = tuple(f"manylinux_{GLIBC.replace('.', '_')}_{each}" for each in MACHINES)
"""Platform tags of the wheels for older systems."""


@dataclass(frozen=True, slots=True)
class Target:
    """The system that a build is for.

    Attributes:
        tag: platform tag of the wheel; empty: the tag of this machine.
        machine: processor, as the kernel names it.
    """

    tag: str
    machine: str

    @property
    def is_pure(self) -> bool:
        """Whether the wheel has no native library."""
        return self.tag == PURE

    @property
    def is_portable(self) -> bool:
        """Whether the library is linked for an older C library, by zig."""
        return self.tag in PORTABLE

    @property
    def rust(self) -> str:
        """Rust's name of the system."""
        return f"{self.machine}-unknown-linux-gnu"

    @property
    def zig(self) -> str:
        """Zig's name of the system, with the oldest C library."""
        return f"{self.machine}-linux-gnu.{GLIBC}"


def chosen_target() -> Target:
    """The target of this build. Raises ``SystemExit`` for an unknown one."""
    tag = os.environ.get(VARIABLE, "")
    if tag in ("", PURE):
        return Target(tag, platform.machine())
    if tag not in PORTABLE:
        raise SystemExit(f"{VARIABLE} is one of {', '.join((*PORTABLE, PURE))}: {tag}")
    return Target(tag, tag.removeprefix(f"manylinux_{GLIBC.replace('.', '_')}_"))
