"""Sites: where in the program a handle was made, closed or released, interned so that each is described once.

Off below level *history*; there one frame, at *stacks* up to ``SITE_FRAMES``. The thread whose frames are read runs it.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any, Final

from inspector.wire import ffi, lib
from inspector.wire.schema import MAX_SITES, SITE_FRAMES, Level
from inspector.wire.text import text_argument

OWN_MODULES: Final = ("inspector.runtime", "inspector.agent")
"""Frames of these modules are the tool's, not the program's."""

Place = tuple[int, int]
"""A frame's ``id(code)`` and its last instruction: cheap to hash, unlike code objects, whose hash reads their constants."""


class SiteTable:
    """Interned stacks of this process by place. A number stays valid for the life of the process, also across fork."""

    __slots__ = ("_is_own", "_known", "_own_modules", "_own_packages")

    def __init__(self, own_modules: tuple[str, ...] = OWN_MODULES) -> None:
        """Frames of these modules, and of modules within them, are left out."""
        self._own_modules = own_modules
        self._own_packages = tuple(f"{name}." for name in own_modules)
        # By ``__name__``, which is asked for every frame: 25 ns instead of 200.
        self._is_own: dict[object, bool] = {}
        # The code objects stay beside the number: an id is only unique while its object lives.
        self._known: dict[tuple[Place, ...], tuple[int, tuple[CodeType, ...]]] = {}

    def mark(self) -> bool:
        """Name the caller's site for this thread's next operations; ``False`` below level *history*, where it does nothing.

        After ``True`` the operation must be followed by ``lib.ai_set_site(0)``, or later ones would carry the site.
        """
        level = lib.ai_level()
        if level < Level.HISTORY:
            return False
        lib.ai_set_site(self.here(1 if level == Level.HISTORY else SITE_FRAMES))
        return True

    def here(self, limit: int) -> int:
        """Number of the stack that leads here, its ``limit`` innermost frames of the program; 0 when there are none."""
        frames, is_cut = self._frames(limit)
        if not frames:
            return 0
        places = tuple((id(frame.f_code), frame.f_lasti) for frame in frames)
        known = self._known.get(places)
        if known is not None:
            return known[0]
        site = _intern(frames, is_cut=is_cut and limit > 1)
        if len(self._known) >= MAX_SITES:
            # The native table is full as well by now; this one must not grow on in a program that makes code for ever.
            self._known.clear()
        self._known[places] = site, tuple(frame.f_code for frame in frames)
        return site

    def _frames(self, limit: int) -> tuple[list[FrameType], bool]:
        """The program's innermost frames, and whether there were more."""
        frame: FrameType | None = sys._getframe(2)
        frames: list[FrameType] = []
        is_own = self._is_own
        while frame is not None:
            module = frame.f_globals.get("__name__")
            if module not in is_own:
                is_own[module] = isinstance(module, str) and (module in self._own_modules or module.startswith(self._own_packages))
            if not is_own[module]:
                if len(frames) == limit:
                    return frames, True
                frames.append(frame)
                if limit == 1:
                    break
            frame = frame.f_back
        return frames, False


def _intern(frames: list[FrameType], *, is_cut: bool) -> int:
    """Describe a stack to the recorder; 0 when its tables are full (it counts that)."""
    records = ffi.new("AiFrameText[]", len(frames))
    held: list[Any] = []
    for record, frame in zip(records, frames, strict=True):
        function, record.function_length = text_argument(frame.f_code.co_qualname)
        file, record.file_length = text_argument(frame.f_code.co_filename)
        record.function, record.file, record.line = function, file, frame.f_lineno or 0
        held += (function, file)
    return int(lib.ai_site(records, len(frames), is_cut))


SITES: Final = SiteTable()
"""One a process, as the table that it mirrors."""
