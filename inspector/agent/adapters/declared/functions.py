"""The functions of a native library that create, clone and free, told of each call.

Functions of ctypes have a place for that: ``errcheck``, which ctypes calls with result and arguments; the function itself stays what it
is, also where the program kept it. Functions of an extension module are replaced in the module. Those of a cffi library can be neither.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.numbers import Number, number_of
from inspector.agent.adapters.replaced import Replaced
from inspector.agent.faults import Faults
from inspector.wire.declarations import Function

Told = Callable[[Any, Sequence[Any]], None]
"""Takes a call's result and arguments."""


class FunctionHooks:
    """The hooks of one library."""

    def __init__(self, library: Any, rows: LibraryRows, faults: Faults) -> None:
        """Sets nothing yet."""
        self._library = library
        self._rows = rows
        self._faults = faults
        self._replaced = Replaced()
        self._checked: list[tuple[Any, Any, Any]] = []

    def set(self) -> list[str]:
        """Set them; one line for each that could not be."""
        declared = self._rows.declaration
        wanted: list[tuple[Function, Told]] = []
        wanted += [(each, self._creating(each)) for each in (*declared.creates, *declared.clones)]
        wanted += [(each, self._freeing(each)) for each in declared.frees]
        return [trouble for function, told in wanted if (trouble := self._hook(function.name, told))]

    def undo(self) -> None:
        """Leave the library as it was."""
        self._replaced.undo()
        while self._checked:
            function, before, hook = self._checked.pop()
            if function.errcheck is not hook:
                continue
            if before is None:
                del function.errcheck
            else:
                function.errcheck = before

    def _hook(self, name: str, told: Told) -> str:
        """One function; why not, if not."""
        ctypes: Any = sys.modules.get("ctypes")
        try:
            function = getattr(self._library, name)
        except Exception:  # a library says in its own way that it has no such function
            return f"the library has no function {name}"
        if ctypes is not None and isinstance(function, ctypes._CFuncPtr):
            self._check(function, told)
            return ""
        try:
            self._replaced.replace(self._library, name, self._wrapped(function, told))
        except (TypeError, AttributeError):
            return f"calls of {name} cannot be seen: functions of a {type(self._library).__name__} cannot be replaced"
        return ""

    def _check(self, function: Any, told: Told) -> None:
        """A function of ctypes. Returning the very arguments tells ctypes to go on as if nobody had looked."""
        before = function.errcheck

        def errcheck(result: Any, called: Any, arguments: Any) -> Any:
            self._tell(told, result, arguments)
            return arguments if before is None else before(result, called, arguments)

        function.errcheck = errcheck
        self._checked.append((function, before, errcheck))

    def _wrapped(self, function: Callable[..., Any], told: Told) -> Callable[..., Any]:
        """A function of a module."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self._tell(told, result, args)
            return result

        return wrapped

    def _tell(self, told: Told, result: Any, arguments: Sequence[Any]) -> None:
        try:
            told(result, arguments)
        except Exception as error:  # a call of the program must not fail because of the tool
            self._faults.add(error)

    def _creating(self, function: Function) -> Told:
        """What it returns, or what it wrote through a pointer that it was given; a clone that returns nothing counts its argument."""

        def created(result: Any, arguments: Sequence[Any]) -> None:
            if function.argument is None:
                self._rows.created(number_of(result))
            else:
                self._rows.created(_given(arguments[function.argument]))

        return created

    def _freeing(self, function: Function) -> Told:
        """The argument."""

        def freed(result: Any, arguments: Sequence[Any]) -> None:
            self._rows.freed(number_of(arguments[function.argument or 0]))

        return freed


def _given(argument: Any) -> Number:
    """A handle that was passed, or what now stands where a passed pointer points to."""
    target = getattr(argument, "_obj", argument)  # ``byref`` keeps what it refers to there
    contents = getattr(target, "contents", target)  # ``pointer``
    return number_of(contents)
