"""Python objects under numbers, like ``cgo.Handle``: native code keeps the number for the object.

Each is a row that the inspector shows. A map may say how its objects close; then their close waits
for the uses that are entered, runs at most once and, where only the thread that made the number may
close (a ``sqlite3.Connection``), on that thread alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from inspector.errors import StaleHandleError
from inspector.runtime.foreign import DROP, FOREIGN, callback, error_length
from inspector.runtime.handles import call_for_number, create
from inspector.runtime.resources import Resource, close
from inspector.vocabulary import Kind, handle_text
from inspector.wire import ffi, lib
from inspector.wire.status import check, new_error
from inspector.wire.text import text_struct

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_UNSAID: Final = 1
"""Length of the error when not even the error could be told."""


class ForeignObjects:
    """Python objects under numbers.

    A number is never used again, 0 is never a number, and any thread may look up and delete. Two
    instances of one name are one type in the inspector, and still apart here. ``closes_by`` names
    the method that closes an object, ``closes_with`` its arguments unless ``close`` is given
    different arguments, ``owner_closes`` says that only the thread that called ``new`` may close.
    """

    __slots__ = ("_closers", "_closes_by", "_closes_with", "_objects", "_type")

    def __init__(
        self,
        name: str,
        origin: str = "python",
        *,
        closes_by: str = "",
        closes_with: Mapping[str, Any] = _NOTHING,
        owner_closes: bool = False,
    ) -> None:
        """An empty map whose rows have this name."""
        self._objects: dict[int, object] = {}
        self._closers: dict[int, int] = {}
        self._closes_by = closes_by
        self._closes_with = dict(closes_with)
        if closes_by:
            lib.ai_foreign_close_by(_CLOSE, DROP)
        signature = f"{closes_by}({', '.join(self._closes_with)})" if closes_by else ""
        self._type = _foreign_type(name, origin, signature=signature, owner_closes=owner_closes)

    def new(self, thing: object) -> int:
        """A number for an object, which is held until its deletion.

        0 means *none*, so it is never given.
        """
        if not self._closes_by:
            number = create(lib.ai_foreign_new, self._type, id(thing))
        else:
            closer = FOREIGN.insert(partial(getattr(thing, self._closes_by), **self._closes_with))
            try:
                number = create(lib.ai_foreign_new, self._type, closer)
            except BaseException:
                FOREIGN.drop(closer)
                raise
            self._closers[number] = closer
        self._objects[number] = thing
        return number

    def value(self, number: int) -> Any:
        """The object.

        A ``HandleError`` names the fault of the number, a ``ClosedError`` the closing thread.
        """
        call_for_number(lib.ai_foreign_value, self._type, number)
        return self._held(number)

    def delete(self, number: int) -> Any:
        """End a number and get its object back.

        One of several deletions at once succeeds, the rest raise ``StaleHandleError``.

        The object is not closed by that; a close that is pending is taken back.
        """
        self._check_here(number)
        call_for_number(lib.ai_foreign_delete, self._type, number)
        return self._let_go(number)

    def must_value(self, number: int) -> Any:
        """As ``value``, where a wrong number is a bug of the native side.

        It counts as a panic and raises ``NativePanicError``.
        """
        call_for_number(lib.ai_foreign_must_value, self._type, number)
        return self._held(number)

    def must_delete(self, number: int) -> Any:
        """As ``delete``, where a wrong number is a bug of the native side.

        It counts as a panic and raises ``NativePanicError``.
        """
        if number not in self._objects:
            self.must_value(number)
        call_for_number(lib.ai_foreign_must_delete, self._type, number)
        return self._let_go(number)

    @contextmanager
    def using(self, number: int) -> Iterator[Any]:
        """The object for the block, a call in flight: its close waits for it.

        For maps that say how their objects close.
        """
        call_for_number(lib.ai_foreign_enter, self._type, number)
        try:
            yield self._held(number)
        finally:
            lib.ai_foreign_leave(number)

    def close(self, number: int, *, deadline_secs: float | None = None, **arguments: Any) -> bool:
        """Close an object; ``False`` when that waits for uses of it or for its owner.

        Its number stays valid for ``delete``.

        Raises ``ClosedError`` after the first, and ``CloseError`` with the reason when the object's
        own method raises.
        """
        key = 0
        if arguments and number in self._objects:
            key = FOREIGN.insert(
                partial(
                    getattr(self._objects[number], self._closes_by),
                    **{**self._closes_with, **arguments},
                )
            )
        return close(
            lib.ai_foreign_request_close, self._type, number, key, deadline_secs=deadline_secs
        )

    def resource(self, number: int) -> ForeignResource:
        """The number as a context manager that closes its object, sync or async."""
        return ForeignResource(self, number)

    def __len__(self) -> int:
        """Objects held now."""
        return len(self._objects)

    def _check_here(self, number: int) -> None:
        """Raise for a number that is not held here, with the native reason if there is a reason."""
        if number not in self._objects:
            self.value(number)

    def _held(self, number: int) -> Any:
        """The object of a number that was valid a moment ago."""
        try:
            return self._objects[number]
        except KeyError:
            raise StaleHandleError(
                f"{handle_text(number)} is not held here: deleted meanwhile, "
                "or of another map of this name"
            ) from None

    def _let_go(self, number: int) -> Any:
        thing = self._held(number)
        del self._objects[number]
        FOREIGN.drop(self._closers.pop(number, 0))
        return thing


class ForeignResource(Resource, closes_by="close"):
    """An object of a map, to be closed at the end of a block; the number lives on."""

    __slots__ = ("_handle", "_objects")

    def __init__(self, objects: ForeignObjects, number: int) -> None:
        """Nothing happens to the number before the end of the block."""
        self._objects = objects
        self._handle = number

    @property
    def value(self) -> Any:
        """The object."""
        return self._objects.value(self._handle)

    def close(self, *, deadline_secs: float | None = None, **arguments: Any) -> bool:
        """As ``ForeignObjects.close``."""
        return self._objects.close(self._handle, deadline_secs=deadline_secs, **arguments)


def _close(key: int, value: int, text: Any, capacity: int) -> int:
    """Native code closes an object, on any thread.

    The answer is the length of the error in ``text``, 0 for none.
    """
    return error_length(lambda: FOREIGN.get(key or value)(), text, capacity)


_CLOSE: Final = callback("ai_python_close", _close, fallback=_UNSAID)


def _foreign_type(name: str, origin: str, *, signature: str, owner_closes: bool) -> int:
    """The type of rows of that name and origin."""
    index, error = ffi.new("uint16_t *"), new_error()
    texts, held = zip(*(text_struct(text) for text in (name, origin, signature)), strict=True)
    fields = dict(zip(("name", "origin", "close_signature"), texts, strict=True))
    flags = {"kind": int(Kind.FOREIGN), "closes": bool(signature), "thread_affine": owner_closes}
    status = lib.ai_type(ffi.new("AiTypeSpec *", {**fields, **flags}), index, error)
    del held
    check(status, error)
    return int(index[0])
