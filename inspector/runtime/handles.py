"""Handles as Python objects: a proxy owns one strong reference and releases it once.

Calls go through cffi in API mode; the GIL is released meanwhile. It raises the errors of
``inspector.errors``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple, NoReturn, Self

from inspector.runtime.own_closes import OWN_CLOSES
from inspector.runtime.sites import SITES
from inspector.vocabulary import handle_text
from inspector.wire import ffi, lib
from inspector.wire.schema import SITE_FRAMES
from inspector.wire.status import raise_last

_NEW_NUMBER: Final = ffi.typeof("uint64_t *")
_NO_ERROR: Final = ffi.NULL
"""Handed over where a message is needed only when something fails: a place for it would double the
price of most calls."""


class Counts(NamedTuple):
    """Counts of an object at one moment, as its ``Arc`` has them."""

    strong: int
    weak: int


def fail(status: int) -> NoReturn:
    """Raise the error of the call that was refused just now.

    From level *history* on its event gets the stack of the caller.
    """
    try:
        raise_last(status)  # first: it tells the newest failure of this thread
    finally:
        level = lib.ai_hottest_level()
        if level >= lib.AiLevel_History:
            lib.ai_misuse_site(SITES.here(1 if level == lib.AiLevel_History else SITE_FRAMES))


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Call a native function whose last parameter is the error; raise that error."""
    status = function(*arguments, _NO_ERROR)
    if status:
        fail(status)


def call_from_here(function: Callable[..., int], *arguments: Any) -> None:
    """As ``call``, for a function that makes native code count up.

    From level *history* on the call has the caller's site.
    """
    is_marked = SITES.mark()
    try:
        call(function, *arguments)
    finally:
        if is_marked:
            lib.ai_set_site(0)


def call_for_number(function: Callable[..., int], *arguments: Any) -> int:
    """As ``call``, for a function that answers one number before the error."""
    out = ffi.new(_NEW_NUMBER)
    status = function(*arguments, out, _NO_ERROR)
    if status:
        fail(status)
    return int(out[0])


def create(
    function: Callable[..., int],
    *arguments: Any,
    _new: Callable[[Any], Any] = ffi.new,
    _level: Callable[[], int] = lib.ai_hottest_level,
    _history: int = lib.AiLevel_History,
) -> int:
    """As ``call_for_number``, for a function that makes a handle.

    From level *history* on the caller's site is its birthplace.
    """
    out = _new(_NEW_NUMBER)
    if _level() < _history:
        status = function(*arguments, out, _NO_ERROR)
    else:
        SITES.mark()
        try:
            status = function(*arguments, out, _NO_ERROR)
        finally:
            lib.ai_set_site(0)
    if status:
        fail(status)
    number: int = out[0]
    return number


class Handle:
    """Owns one strong reference to a native object. Any thread may use and release it.

    Two proxies are equal when they name one object. The reference is released by ``release`` or
    with the proxy, which is also done while the interpreter shuts down.
    """

    __slots__ = ("__weakref__", "_handle", "_is_owned", "_object")

    _closes_itself: ClassVar[bool] = False
    """The program gave the class a close method of its own, which viewers call."""
    _handle: int
    """The number, kept after release so that a later use is explained by its tombstone."""
    _is_owned: bool
    """The reference is still ours to release."""
    _object: int
    """Address of the object, once it was asked for; 0 before."""

    def __init__(self, number: int) -> None:
        """Take over the reference that a native call handed out."""
        self._handle = number
        self._object = 0
        self._is_owned = True
        if self._closes_itself:
            OWN_CLOSES.add(self, number)

    @classmethod
    def _lift(cls, number: int) -> Self:
        """A proxy for a handle that a call returned."""
        proxy = cls.__new__(cls)
        Handle.__init__(proxy, number)
        return proxy

    @property
    def handle(self) -> int:
        """The handle's number: ``generation << 32 | index << 1 | foreign``."""
        return self._handle

    def clone(self) -> Self:
        """Another handle on the same object."""
        return self._lift(create(lib.ai_handle_clone, self._handle))

    def release(self) -> None:
        """Release the reference now.

        A second release, and any use after it, is a ``StaleHandleError``.
        """
        is_marked = SITES.mark()
        try:
            # The native side decides a race between two threads: the loser gets the error that the
            # handle is stale.
            call(lib.ai_handle_release, self._handle)
        finally:
            if is_marked:
                lib.ai_set_site(0)
        self._is_owned = False

    def counts(self) -> Counts:
        """Strong and weak count of the object now, calls left out."""
        strong, weak = ffi.new(_NEW_NUMBER), ffi.new(_NEW_NUMBER)
        call(lib.ai_handle_strong, self._handle, strong, weak)
        return Counts(strong=strong[0], weak=weak[0])

    def __eq__(self, other: object) -> bool:
        """Whether both name one object; a released proxy equals only itself."""
        if self is other:
            return True
        if not isinstance(other, Handle):
            return NotImplemented
        if not (self._is_owned and other._is_owned):
            return False
        result = lib.ai_handle_same(self._handle, other._handle, _NO_ERROR)
        if result < 0:
            fail(-result)
        return bool(result)

    def __hash__(self) -> int:
        """By object, and the same after release when it was asked for before."""
        if not self._object:
            self._object = call_for_number(lib.ai_handle_address, self._handle)
        return hash(self._object)

    def __copy__(self) -> Self:
        """A copy owns a reference of its own."""
        return self.clone()

    def __reduce__(self) -> NoReturn:
        """Refuse pickling and copying.

        A handle means nothing in another process, and a deep copy of the native object does not
        exist.
        """
        raise TypeError(
            f"{type(self).__name__} names a native object of this process: it can "
            "neither be pickled nor copied deeply"
        )

    def __repr__(self) -> str:
        """``<TodoList #88.1>``."""
        return (
            f"<{type(self).__name__} "
            f"{handle_text(self._handle)}{'' if self._is_owned else ', released'}>"
        )

    def __del__(self, _release: Callable[[int], None] = lib.ai_handle_drop) -> None:
        """Release the reference.

        Everything it needs is bound above: globals may have been cleared by now.
        """
        try:
            is_owned = self._is_owned
        except AttributeError:
            return  # the constructor failed before there was a reference
        if is_owned:
            self._is_owned = False
            _release(self._handle)
