"""Calls of Rust into Python objects that failed.

Each has the method and the object, how often it failed, and the line that raised the newest
exception.

Rust gets no more than the exception's text, and where the call cannot even be begun, nothing: then
``ctypes`` writes the exception to stderr and Rust waits for ever. A generated module makes each
such call through one of a few functions of its own; these functions are replaced in its globals
while attached. An error that the interface declares is an answer, no failure. Calls come from any
thread.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import FunctionType, TracebackType
from typing import Any, Final

from inspector.agent.adapters.uniffi.foreign import cells_of, method_of, plain_name
from inspector.agent.adapters.uniffi.old_callbacks import OldCallbackHook, old_callbacks
from inspector.agent.faults import Faults
from inspector.wire.uniffi import (
    ASYNCHRONOUS_TRAIT_CALLS,
    CALLED,
    MAKE_CALL,
    SYNCHRONOUS_TRAIT_CALLS,
    UNEXPECTED_ERROR,
)

STATUS: Final = "call_status"
WRITE: Final = "write_return_value"
HANDLE_ERROR: Final = "handle_error"
"""Parameters of the generated functions, beside ``MAKE_CALL``."""
MOST_PLACES: Final = 200
"""Different failures that are told apart."""
MOST_OBJECTS: Final = 100
"""Objects of one failure that are told apart."""

Call = Callable[..., Any]


class Failure:
    """One method that failed at one place."""

    __slots__ = ("count", "error", "has_more_rows", "method", "place", "rows")

    def __init__(self, method: str, error: str, place: str) -> None:
        """``method``: ``MyListener.on_event``.

        ``error``: the exception's class; ``place``: ``app.py:12 on_event``.
        """
        self.method, self.error, self.place = method, error, place
        self.count = 0
        self.rows: dict[int, int] = {}
        """How often, by the row of the object."""
        self.has_more_rows = False
        """Objects failed here that are not among ``rows``."""

    def add(self, row: int) -> None:
        """It failed once more; ``row`` is 0 where no row is known."""
        self.count += 1
        if row and (row in self.rows or len(self.rows) < MOST_OBJECTS):
            self.rows[row] = self.rows.get(row, 0) + 1
        elif row:
            self.has_more_rows = True

    def told(self) -> dict[str, Any]:
        """The failure for a viewer."""
        named = {
            name: getattr(self, name)
            for name in ("method", "error", "place", "count", "has_more_rows")
        }
        return named | {"handles": [[row, count] for row, count in list(self.rows.items())]}


class FailedCalls:
    """The failures of one generated module."""

    def __init__(self, row_of: Callable[[Any], int]) -> None:
        """``row_of`` gives a row of a Python object that Rust holds, 0 for any other."""
        self._row_of = row_of
        self._failures: dict[tuple[str, str, str], Failure] = {}
        self._newest: dict[int, Failure] = {}
        """The newest failure of each row that a failure counts."""
        self._lock = threading.RLock()  # taken again by a call that a finaliser makes meanwhile

    def add(self, make_call: Any, error: BaseException) -> None:
        """A call failed now. Keeps nothing of the program's."""
        called = cells_of(make_call).get(CALLED) if type(make_call) is FunctionType else None
        self.add_call(called, "" if called is None else method_of(make_call), error)

    def add_call(self, called: Any, name: str, error: BaseException) -> None:
        """A call of the method ``name`` of a Python object failed; ``None``: not known which."""
        method = "a callback" if called is None else f"{plain_name(type(called))}.{name}"
        key = method, type(error).__name__, place_of(error.__traceback__)
        row = 0 if called is None else self._row_of(called)
        with self._lock:
            if key not in self._failures and len(self._failures) >= MOST_PLACES:
                key = "other callbacks", "exceptions", ""
            failure = self._failures.setdefault(key, Failure(*key))
            failure.add(row)
            if row in failure.rows:
                self._newest[row] = failure

    def told(self) -> list[dict[str, Any]]:
        """All failures, for a viewer."""
        with self._lock:
            newest: dict[int, list[int]] = {}
            for row, failure in self._newest.items():
                newest.setdefault(id(failure), []).append(row)
            return [
                each.told() | {"newest_of": newest.get(id(each), [])}
                for each in self._failures.values()
            ]


class CallbackHooks:
    """The hooks of one module."""

    def __init__(self, namespace: dict[str, Any], failed: FailedCalls, faults: Faults) -> None:
        """Sets nothing yet."""
        self._namespace, self._failed, self._faults = namespace, failed, faults
        self._is_active = True
        self._replaced: dict[str, tuple[Any, Any]] = {}
        self._old: list[OldCallbackHook] = []

    def __bool__(self) -> bool:
        """Whether the module has such functions, so that failures are counted."""
        return bool(self._replaced or self._old)

    def set(self) -> None:
        """Replace the functions that the module has."""
        hooked = dict.fromkeys(SYNCHRONOUS_TRAIT_CALLS, self._synchronous) | dict.fromkeys(
            ASYNCHRONOUS_TRAIT_CALLS, self._asynchronous
        )
        for name, hook in hooked.items():
            original = self._namespace.get(name)
            if isinstance(original, FunctionType) and MAKE_CALL in _places_of(original):
                self._replaced[name] = original, hook(original)
                self._namespace[name] = self._replaced[name][1]
        for function in old_callbacks(self._namespace):
            self._old.append(OldCallbackHook(function, self._note_call))
            self._old[-1].set()

    def undo(self) -> None:
        """Restore the functions, unless another library replaced them meanwhile."""
        self._is_active = False
        for name, (original, hook) in self._replaced.items():
            if self._namespace.get(name) is hook:
                self._namespace[name] = original
        for each in self._old:
            each.undo()

    def _synchronous(self, original: FunctionType) -> Call:
        """Read the result of a call when the function returns.

        The status says whether the exception was expected.
        """
        places = _places_of(original)

        @functools.wraps(original)
        def trait_call(*given: Any, **named: Any) -> Any:
            arguments = list(given)
            raised: list[BaseException] = []
            make_call = _argument(arguments, places, MAKE_CALL)
            for name in (MAKE_CALL, WRITE):
                _replace(arguments, places, name, lambda function: _caught(function, raised))
            result = self._noting(make_call, original, arguments, named)
            if (
                raised
                and getattr(_argument(arguments, places, STATUS), "code", None) == UNEXPECTED_ERROR
            ):
                self._note(make_call, raised[-1])
            raised.clear()
            return result

        return trait_call

    def _asynchronous(self, original: FunctionType) -> Call:
        """The result of the call comes later, with the function that takes errors.

        ``make_call`` stays unchanged: it names the rows.
        """
        places = _places_of(original)

        @functools.wraps(original)
        def trait_call(*given: Any, **named: Any) -> Any:
            arguments = list(given)
            make_call = _argument(arguments, places, MAKE_CALL)
            _replace(
                arguments,
                places,
                HANDLE_ERROR,
                lambda function: self._told_error(make_call, function),
            )
            return self._noting(make_call, original, arguments, named)

        return trait_call

    def _noting(
        self, make_call: Any, original: Call, arguments: list[Any], named: Mapping[str, Any]
    ) -> Any:
        """The generated function itself; ``ctypes`` ignores its exception."""
        try:
            return original(*arguments, **named)
        except BaseException as error:
            self._note(make_call, error)
            raise

    def _told_error(self, make_call: Any, handle_error: Call) -> Call:
        """The function that the generated coroutine calls from within its ``except``."""

        def told(code: Any, *rest: Any) -> Any:
            error = sys.exc_info()[1]
            if code == UNEXPECTED_ERROR and error is not None:
                self._note(make_call, error)
            return handle_error(code, *rest)

        return told

    def _note_call(self, called: Any, method: str, error: BaseException) -> None:
        if self._is_active:
            try:
                self._failed.add_call(called, method, error)
            except Exception as fault:  # a call of the program must not fail because of the tool
                self._faults.add(fault)

    def _note(self, make_call: Any, error: BaseException) -> None:
        if self._is_active:
            try:
                self._failed.add(make_call, error)
            except Exception as fault:  # a call of the program must not fail because of the tool
                self._faults.add(fault)


def place_of(traceback: TracebackType | None) -> str:
    """The place of an exception, ``app.py:12 on_event``; ``""``: nowhere in Python."""
    innermost = traceback
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    if innermost is None:
        return ""
    code = innermost.tb_frame.f_code
    return f"{PurePath(code.co_filename).name}:{innermost.tb_lineno} {code.co_name}"


def _caught(function: Call, raised: list[BaseException]) -> Call:
    """A function of a call that remembers the exception it raises."""

    def caught(*given: Any) -> Any:
        try:
            return function(*given)
        except Exception as error:
            raised.append(error)
            raise

    return caught


def _places_of(function: FunctionType) -> dict[str, int]:
    """The positions of a generated function's parameters."""
    code = function.__code__
    return {name: place for place, name in enumerate(code.co_varnames[: code.co_argcount])}


def _argument(arguments: list[Any], places: Mapping[str, int], name: str) -> Any:
    place = places.get(name, len(arguments))
    return arguments[place] if place < len(arguments) else None


def _replace(
    arguments: list[Any], places: Mapping[str, int], name: str, replacement: Callable[[Any], Any]
) -> None:
    """Put something else in the place of an argument that was given."""
    given = _argument(arguments, places, name)
    if given is not None:
        arguments[places[name]] = replacement(given)
