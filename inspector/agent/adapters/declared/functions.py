"""The functions of a native library that create, clone and free, with a report of each call.

Functions of ctypes have a place for that: ``errcheck``, which ctypes calls with result and
arguments; the function itself stays unchanged, also where the program kept it. Functions of an
extension module are replaced in the module, functions of a cffi library in the dictionary that its
attributes come from; a function that the program took out before is not seen.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.numbers import Number, number_of
from inspector.agent.adapters.replaced import Replaced
from inspector.agent.faults import Faults
from inspector.wire import ffi
from inspector.wire.declarations import Function

WORDS: Final = frozenset(
    {
        "int",
        "unsigned int",
        "long",
        "unsigned long",
        "int32_t",
        "uint32_t",
        "int64_t",
        "uint64_t",
        "size_t",
        "uintptr_t",
    }
)
"""C types of handles that are numbers: a pointer to one is where a function writes it."""

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
        self._placed: list[tuple[dict[str, Any], str, Any, Any]] = []

    def set(self) -> list[str]:
        """Set them; one line for each that could not be."""
        declared = self._rows.declaration
        wanted: list[tuple[Function, Told]] = []
        wanted += [(each, self._creating(each)) for each in (*declared.creates, *declared.clones)]
        wanted += [(each, self._freeing(each)) for each in declared.frees]
        return [
            trouble for function, told in wanted if (trouble := self._hook(function.name, told))
        ]

    def undo(self) -> None:
        """Leave the library as it was."""
        self._replaced.undo()
        while self._placed:
            namespace, name, before, hook = self._placed.pop()
            if namespace.get(name) is hook:
                namespace[name] = before
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
            function: Any = getattr(self._library, name)
        except Exception:  # a library says in its own way that it has no such function
            return f"the library has no function {name}"
        if ctypes is not None and isinstance(function, ctypes._CFuncPtr):
            self._check(function, told)
            return ""
        namespace = _namespace_of_cffi(self._library)
        if namespace is not None and name in namespace:
            hook = self._wrapped(function, told)
            namespace[name] = hook
            self._placed.append((namespace, name, function, hook))
            return ""
        try:
            self._replaced.replace(self._library, name, self._wrapped(function, told))
        except (TypeError, AttributeError):
            return (
                f"calls of {name} cannot be seen: functions of a "
                f"{type(self._library).__name__} cannot be replaced"
            )
        return ""

    def _check(self, function: Any, told: Told) -> None:
        """A function of ctypes.

        Returning the very arguments makes ctypes continue as if without a check.
        """
        before = function.errcheck

        def errcheck(result: Any, called: Any, arguments: Any) -> Any:
            self._tell(told, result, arguments)
            return arguments if before is None else before(result, called, arguments)

        function.errcheck = errcheck
        self._checked.append((function, before, errcheck))

    def _wrapped(self, function: Callable[..., Any], told: Told) -> Callable[..., Any]:
        """A function of a module."""

        @functools.wraps(
            function,
            assigned=[name for name in functools.WRAPPER_ASSIGNMENTS if hasattr(function, name)],
        )
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
        """Its return value, or the value written through a pointer.

        A clone may count its argument.
        """

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


def _namespace_of_cffi(library: Any) -> dict[str, Any] | None:
    """The dictionary of a cffi library's requested functions, ``None`` for anything else.

    ``lib.x`` looks there first.

    Libraries of compiled modules refuse to be written to, and libraries of ``FFI.dlopen`` try for
    ever; so neither is asked to.
    """
    place = type(library).__module__, type(library).__name__
    if place == ("cffi.api", "FFILibrary"):
        own: dict[str, Any] = vars(library)
        return own
    if place == ("_cffi_backend", "Lib"):
        return next((each for each in gc.get_referents(library) if type(each) is dict), None)
    return None


def _given(argument: Any) -> Number:
    """A handle that was passed, or the value now at a passed pointer."""
    if isinstance(argument, ffi.CData):
        kind = ffi.typeof(argument)
        is_place = kind.kind == "pointer" and (
            kind.item.kind == "pointer"
            or (kind.item.kind == "primitive" and kind.item.cname in WORDS)
        )
        return number_of(argument[0] if is_place and argument else argument)
    target = getattr(argument, "_obj", argument)  # ``byref`` keeps the referred object there
    contents = getattr(target, "contents", target)  # ``pointer``
    return number_of(contents)
