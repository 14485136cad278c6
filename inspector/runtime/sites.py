"""Sites: the places in the program that made, closed or released a handle.

A site is interned, so each is described once.

Off below level *history*; there the innermost frame of the program's own, with the libraries'
frames inside it; at *stacks* up to ``SITE_FRAMES``. The thread whose frames are read runs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any, Final

from inspector.source_places import is_of_package, is_standard
from inspector.wire import ffi, lib
from inspector.wire.schema import MAX_SITES, SITE_FRAMES
from inspector.wire.text import text_argument

OWN_PACKAGE: Final = __name__.partition(".")[0]
"""``inspector``, or the name that it has where a program may have a module of that name."""
OWN_MODULES: Final = (f"{OWN_PACKAGE}.runtime", f"{OWN_PACKAGE}.agent", "_arc_inspector")
"""Frames of these modules are the tool's, not the program's."""

Place = tuple[int, int]
"""A frame's ``id(code)`` and its last instruction: cheap to hash, unlike code objects, whose hash
reads their constants."""


class SiteTable:
    """Interned stacks of this process by place.

    A number stays valid for the life of the process, also across fork.
    """

    __slots__ = ("_known", "_naming", "_own_globals", "_own_modules", "_packages")

    def __init__(
        self, own_modules: tuple[str, ...] = OWN_MODULES, packages: tuple[str, ...] = ()
    ) -> None:
        """Leave out frames of modules with these prefixes.

        Frames of ``packages`` name no site.
        """
        self._own_modules = own_modules
        self._packages = packages
        self._naming: dict[str, bool] = {}
        # Globals of own modules, by id: these modules are never unloaded. Saves most frames the
        # look at the name.
        self._own_globals: set[int] = set()
        # The code objects stay beside the number: an id is only unique while its object lives.
        self._known: dict[Place | tuple[Place, ...], tuple[int, tuple[CodeType, ...]]] = {}

    def mark(
        self, _level: Callable[[], int] = lib.ai_hottest_level, _history: int = lib.AiLevel_History
    ) -> bool:
        """Name the caller's site for this thread's next operations.

        ``False`` below level *history*, where it does nothing.

        After ``True`` the operation must be followed by ``lib.ai_set_site(0)``, or later operations
        would carry the site.
        """
        level = _level()
        if level < _history:
            return False
        lib.ai_set_site(self.here(1 if level == _history else SITE_FRAMES))
        return True

    def here(self, limit: int) -> int:
        """Number of the stack that leads here, its ``limit`` innermost frames of the program.

        0 when there are none.
        """
        frame = self._of_program(sys._getframe(1))
        if frame is None:
            return 0
        if limit > 1:
            return self._of_stack(frame, limit)
        if not self.names_site(frame.f_code):
            return self._of_stack(frame, self._frames_to_own(frame))
        place = (id(frame.f_code), frame.f_lasti)
        known = self._known.get(place)
        return self._learn(place, [frame], is_cut=False) if known is None else known[0]

    def names_site(self, code: CodeType) -> bool:
        """Whether code is the program's own.

        It is neither the standard library's nor of the package that defines the class.
        """
        file = code.co_filename
        known = self._naming.get(file)
        if known is None:
            if len(self._naming) >= MAX_SITES:
                self._naming.clear()
            known = self._naming[file] = not is_standard(file) and not is_of_package(
                file, self._packages
            )
        return known

    def is_left_out(self, scope: dict[str, Any]) -> bool:
        """Whether frames with these globals are the tool's, or generated."""
        name = scope.get("__name__")
        return isinstance(name, str) and name.startswith(self._own_modules)

    def _frames_to_own(self, innermost: FrameType) -> int:
        """Frames up to the first one that is the program's own.

        1: a site has no room for so many, or there is none.
        """
        frame: FrameType | None = innermost
        for count in range(1, SITE_FRAMES + 1):
            if frame is None:
                break
            if self.names_site(frame.f_code):
                return count
            frame = self._of_program(frame.f_back)
        return 1

    def of(self, frame: FrameType | None, limit: int) -> int:
        """Number of a frame's stack, of any thread; ``here`` gives the calling thread's."""
        innermost = self._of_program(frame)
        return 0 if innermost is None else self._of_stack(innermost, limit)

    def of_frames(self, frames: Sequence[FrameType]) -> int:
        """Number of the stack of these frames, innermost first, as many as a site has room for.

        For coroutines that wait: their frames know no outer frame. 0: there is none.
        """
        shown = [frame for frame in frames if not self.is_left_out(frame.f_globals)][:SITE_FRAMES]
        places = tuple([(id(frame.f_code), frame.f_lasti) for frame in shown])
        known = self._known.get(places)
        if known is not None or not shown:
            return known[0] if known is not None else 0
        return self._learn(places, shown, is_cut=len(frames) > SITE_FRAMES)

    def _of_stack(self, innermost: FrameType, limit: int) -> int:
        """Number of a stack of several frames."""
        frames = [innermost]
        frame = self._of_program(innermost.f_back)
        while frame is not None and len(frames) < limit:
            frames.append(frame)
            frame = self._of_program(frame.f_back)
        places = tuple([(id(frame.f_code), frame.f_lasti) for frame in frames])
        known = self._known.get(places)
        return self._learn(places, frames, is_cut=frame is not None) if known is None else known[0]

    def _of_program(self, frame: FrameType | None) -> FrameType | None:
        """The frame itself, or the next one outwards that is of the program."""
        while frame is not None:
            scope = frame.f_globals
            if id(scope) not in self._own_globals:
                if not self.is_left_out(scope):
                    return frame
                self._own_globals.add(id(scope))
            frame = frame.f_back
        return None

    def _learn(
        self, place: Place | tuple[Place, ...], frames: list[FrameType], *, is_cut: bool
    ) -> int:
        """Describe a stack that is new."""
        site = _intern(frames, is_cut=is_cut)
        if len(self._known) >= MAX_SITES:
            # The native table is full as well by now; this table must not grow on in a program that
            # makes code for ever.
            self._known.clear()
        self._known[place] = site, tuple(frame.f_code for frame in frames)
        return site


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
