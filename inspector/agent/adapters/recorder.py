"""The rows that the adapter keeps in the native handle table, by the C interface.

Adding and ending a row never raises: a row without room is counted by the recorder
(``lost.untracked_handles``) and has number 0 here. Any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Kind, Level, Reference
from inspector.wire import ffi, lib
from inspector.wire.declarations import Declaration
from inspector.wire.schema import SITE_FRAMES
from inspector.wire.status import check, new_error
from inspector.wire.text import text_struct

WORD: Final = ffi.typeof("uint64_t *")


class Recorder:
    """The recorder of this process. Holds nothing: all recorders are equal."""

    __slots__ = ()

    # The calls for every object are the native functions themselves: a method around each would
    # cost half as much again.
    level: Callable[[], int] = staticmethod(lib.ai_level)
    """The process's ``Level``."""
    hottest: Callable[[], int] = staticmethod(lib.ai_hottest_level)
    """The highest ``Level`` that any type has now."""
    add: Callable[[int, int, int, int], int] = staticmethod(lib.ai_row_born)
    """A row for an object that crossed the boundary now, on this thread: type, address, data, site;
    0 when it found no room."""
    add_standing: Callable[[int, int, int, int], int] = staticmethod(lib.ai_row_standing)
    """A row for a call that began earlier and stands at a site: type, address, data, site; 0 when
    it found no room."""
    end_counted: Callable[[int, int], None] = staticmethod(lib.ai_row_gone)
    """The row's reference is about to be released; the count at the address given second tells
    whether it is the last."""

    type_level: Callable[[int], int] = staticmethod(lib.ai_type_level)
    """The ``Level`` in force for a type: its own, or the process's."""

    def site(self, sites: SiteTable, type_index: int) -> int:
        """The site of a birth on this thread, as much of it as the type's level asks for."""
        level = self.type_level(type_index)
        return (
            0 if level < Level.HISTORY else sites.here(1 if level == Level.HISTORY else SITE_FRAMES)
        )

    def type_index(
        self,
        *,
        name: str,
        origin: str,
        kind: Kind,
        data_offset: int = 0,
        closes: Declaration | None = None,
    ) -> int:
        """The type of these; the same one for the same words.

        Raises when the table of types is full.

        ``closes`` says how its resources close; ``None``: they do not.
        """
        index, error = ffi.new("uint16_t *"), new_error()
        (name_text, held_name), (origin_text, held_origin) = text_struct(name), text_struct(origin)
        (signature, held_signature) = text_struct("" if closes is None else closes.close_signature)
        spec = ffi.new(
            "AiTypeSpec *",
            {
                "name": name_text,
                "origin": origin_text,
                "close_signature": signature,
                "kind": int(kind),
                "data_offset": data_offset,
            },
        )
        spec.closes, spec.thread_affine = (
            closes is not None,
            closes is not None and closes.owner_closes,
        )
        status = lib.ai_type(spec, index, error)
        del held_name, held_origin, held_signature
        check(status, error)
        return int(index[0])

    def adopt(self, type_index: int, addresses: Sequence[int], datas: Sequence[int]) -> list[int]:
        """Rows for older objects; their birth stays unknown. 0 for objects without room."""
        rows = ffi.new("uint64_t[]", len(addresses))
        lib.ai_rows_add(
            type_index,
            ffi.new("uint64_t[]", addresses),
            ffi.new("uint64_t[]", datas),
            len(addresses),
            rows,
            ffi.NULL,
        )
        return list(rows)

    def end(self, row: int, state: Reference) -> None:
        """The row's reference has ended: ``RELEASED``, or ``DROPPED`` when it was the last."""
        if row > 0:
            lib.ai_row_end(row, state, ffi.NULL)

    def set_address(self, row: int, address: int) -> None:
        """The heap address of a row's object, found after the row was made."""
        if row > 0:
            lib.ai_row_address(row, address)

    def clear(self, type_index: int) -> None:
        """End all rows of a type without a trace."""
        lib.ai_rows_clear(type_index)


def load_word(address: int) -> int:
    """The 8 bytes at an address.

    Only for memory that the library itself is about to touch: it is not checked.
    """
    return int(ffi.cast(WORD, address)[0])
