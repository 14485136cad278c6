"""Sites of births, read from frames by native code; Python is asked about unseen stacks.

Which frames are the program's is told by their module and file, as ``SiteTable`` does. Runs on the
thread whose frames are read.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from inspector.runtime.sites import SiteTable
from inspector.source_places import INSTALLED, NATIVE_STANDARD, OWN_ROOMS, STANDARD
from inspector.wire.hooks import hooks


def is_walked_natively() -> bool:
    """Whether native code reads this interpreter's frames as the interpreter does.

    It is tried here, on this stack.
    """
    frame, expected = sys._getframe(), []
    while frame is not None:
        expected.append(id(frame.f_code))
        if frame.f_back is None:
            break
        frame = frame.f_back
    seen = hooks.frame_codes()
    return len(seen) > 1 and seen == expected[: len(seen)] and len(seen) >= min(len(expected), 100)


class NativeStacks:
    """Sites by stack for the births of one generated module, or of one declared class."""

    def __init__(self, own_modules: tuple[str, ...], packages: tuple[str, ...] = ()) -> None:
        """Leave out frames of modules with these prefixes.

        Frames of ``packages``, which define the class, name no site.
        """
        self.table = SiteTable(own_modules, packages)
        """The same sites for what Python itself records."""
        self.native: Any = hooks.Stacks(self._whose, self._here, self._here, is_walked_natively())
        standard = (*STANDARD, *NATIVE_STANDARD)
        self.native.name((own_modules, INSTALLED, standard, packages, OWN_ROOMS))

    def _whose(self, code: CodeType, scope: dict[str, Any]) -> int:
        """The owner of the code: 0 left out, 1 the program, 2 a library."""
        if self.table.is_left_out(scope):
            return 0
        return 1 if self.table.names_site(code) else 2

    def _here(self, frames: int) -> int:
        """The site of this thread, described."""
        return self.table.here(frames)
