"""Closing: ending a resource while handles to it live on.

Opt-in, by a type's own method with its own arguments.

Releasing is not closing: a type that does not name its close method gets no context manager, and a
type that does may use any name. A close that cannot run now (calls in flight, another owner thread)
is *pending*: it is queued and runs later; the inspector shows it with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Final, Self

from inspector.errors import ClosedError
from inspector.runtime.handles import call
from inspector.runtime.loops import wait_ended
from inspector.runtime.own_closes import is_own
from inspector.runtime.sites import SITES
from inspector.wire import lib
from inspector.wire.status import Status, message_of, new_error, raise_status

MILLIS_PER_SEC: Final = 1000
LONGEST_DEADLINE_SECS: Final = 10 * 365 * 86400


def close(
    function: Callable[..., int], *arguments: Any, deadline_secs: float | None = None
) -> bool:
    """Call a native close method; ``True`` when it ran, ``False`` when it is pending.

    The caller's site is recorded.

    A close that has not run ``deadline_secs`` from now is withdrawn: the resource is open again,
    and ``Resource.close_result`` says so. Raises ``ValueError`` for a deadline that is not ahead.
    """
    if deadline_secs is not None:
        set_deadline(deadline_secs)
    is_marked = SITES.mark()
    error = new_error()
    try:
        status = function(*arguments, error)
    finally:
        if deadline_secs is not None:
            lib.ai_set_close_deadline(0)
        if is_marked:
            lib.ai_set_site(0)
    if status == Status.PENDING:
        return False
    if status:
        raise_status(status, error)
    return True


def set_deadline(secs: float) -> None:
    """The next close that this thread asks for has so long. Raises ``ValueError``."""
    if not 0 < secs <= LONGEST_DEADLINE_SECS:
        raise ValueError(
            f"a deadline lies between now and {LONGEST_DEADLINE_SECS:,} s ahead, not {secs} s"
        )
    lib.ai_set_close_deadline(math.ceil(secs * MILLIS_PER_SEC))


def drain() -> int:
    """A safe point: run the closes that wait for this thread. Returns how many ran."""
    return int(lib.ai_drain())


class Resource:
    """Context manager of a type that opted in to closing.

    ``class Journal(Handle, Resource, closes_by="close", closes_with={…})``

    Leaving the block calls that method with those arguments, whether the block failed or not; a
    resource that was closed inside the block is left alone. ``async with`` does the same and ends
    when the close has run: while that drains, or waits for its owner, the event loop runs on.
    """

    __slots__ = ()

    _handle: int
    _closes_itself: ClassVar[bool]
    _closes_by: ClassVar[str]
    _closes_with: ClassVar[Mapping[str, Any]]

    def __init_subclass__(
        cls,
        *,
        closes_by: str = "",
        closes_with: Mapping[str, Any] = MappingProxyType({}),
        **rest: Any,
    ) -> None:
        """Remember how the type closes; a subclass that says nothing closes as its parent does."""
        super().__init_subclass__(**rest)
        if closes_by:
            cls._closes_by = closes_by
            cls._closes_with = MappingProxyType(dict(closes_with))
        elif not hasattr(cls, "_closes_by"):
            raise TypeError(f"{cls.__name__} does not say which of its methods closes it")
        cls._closes_itself = is_own(cls, cls._closes_by)

    def pending_reason(self) -> str:
        """Why a close would not run now, in one sentence; ``""`` when it would.

        Raises ``ClosedError`` after the close.
        """
        error = new_error()
        status = lib.ai_close_preview(self._handle, error)
        if status in (Status.PENDING, Status.CLOSE_REFUSED):
            return message_of(error)
        if status:
            raise_status(status, error)
        return ""

    def cancel_close(self) -> None:
        """Take back a close that is pending."""
        call(lib.ai_close_cancel, self._handle)

    def close_result(self) -> bool:
        """How the newest close ended: ``True``, it ran; ``False``, it is pending.

        Raises ``CloseError`` with the reason when it failed, was taken back, or was withdrawn at
        its deadline, and ``InspectorError`` when none was asked for.
        """
        error = new_error()
        status = lib.ai_close_result(self._handle, error)
        if status and status != Status.PENDING:
            raise_status(status, error)
        return not status

    async def wait_closed(self) -> None:
        """Wait until a pending close has run, without holding the event loop up.

        Raises as ``close_result``.
        """
        await wait_ended(self._handle, lambda: not self.close_result())

    def __enter__(self) -> Self:
        """Nothing is opened: the constructor did that."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close in the type's own way."""
        try:
            getattr(self, self._closes_by)(**self._closes_with)
        except ClosedError:
            # Closed inside the block; the refused second close is counted as such by the native
            # side.
            return

    async def __aenter__(self) -> Self:
        """As ``__enter__``."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """As ``__exit__``, on the event loop's thread; then wait until the resource is closed.

        A task that is cancelled while it waits leaves the close pending.
        """
        try:
            is_closed = getattr(self, self._closes_by)(**self._closes_with)
        except ClosedError:
            return
        if is_closed is False:
            await self.wait_closed()
