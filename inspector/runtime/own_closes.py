"""A viewer's close of an object whose proxy has its own ``close`` method.

The method is the program's, and the most derived method runs.

It runs where any other close runs: on the owner thread of a type that has one, at the thread's next
call or ``drain``; otherwise on the thread that ends the last call in flight, or on a thread of the
agent.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import ref

from inspector.runtime.foreign import callback, error_length
from inspector.wire import lib

_NO_METHOD: Final = -1
_UNSAID: Final = 1
"""Length of the error when not even the error could be told."""
_RUNTIME: Final = __name__.rpartition(".")[0]


def is_own(cls: type, name: str) -> bool:
    """Whether the program defined a class's method of that name, and not this package."""
    module = getattr(getattr(cls, name, None), "__module__", None)
    return isinstance(module, str) and not f"{module}.".startswith(f"{_RUNTIME}.")


class OwnCloses:
    """Proxies with a close method of the program's own, by handle. Keeps no proxy alive.

    The number of a handle is never used again.
    """

    __slots__ = ("_proxies",)

    def __init__(self) -> None:
        """No proxy."""
        self._proxies: dict[int, ref[Any]] = {}

    def add(self, proxy: Any, handle: int) -> None:
        """Have viewers close the object of this handle by the proxy's method.

        Without a lock: each step is one operation of a dict.
        """
        proxies = self._proxies
        if not proxies:
            lib.ai_close_by_proxies(_CLOSE_PROXY)
        proxies[handle] = ref(proxy, lambda _gone: proxies.pop(handle, None))

    def proxy(self, handle: int) -> Any:
        """The proxy that owns a handle, or ``None``."""
        known = self._proxies.get(handle)
        proxy = None if known is None else known()
        return proxy if proxy is not None and proxy._is_owned else None


OWN_CLOSES: Final = OwnCloses()
"""One a process: native code calls back through a plain function."""


def _close_proxy(handle: int, is_asked_only: int, text: Any, capacity: int) -> int:
    """Native code looks for the own close method of the proxy that owns a handle, or calls it."""
    proxy = OWN_CLOSES.proxy(handle)
    if proxy is None:
        return _NO_METHOD
    if is_asked_only:
        return 0
    return error_length(
        lambda: getattr(proxy, proxy._closes_by)(**proxy._closes_with), text, capacity
    )


_CLOSE_PROXY: Final = callback("ai_python_close_proxy", _close_proxy, fallback=_UNSAID)
