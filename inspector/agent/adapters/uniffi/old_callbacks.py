"""Failed calls of Rust into Python objects, for modules without functions that make such calls.

Up to UniFFI 0.26 a module has one function for each callback interface, ``py_foreignCallback…``,
and ``ctypes`` keeps that very function. So its code is replaced, not the function: the new code
calls the old code and sees its exceptions. Newer functions catch the exception of a method
and send its text to Rust; there the name that makes the text leads to a stand-in, which
sees the exception. Calls come from any thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, TracebackType
from typing import Any, Final

MARK: Final = "py_foreignCallback"
"""Start of the functions' names."""
PARAMETERS: Final = ("handle", "method")
TEXT_CONVERTER: Final = "ConverterString"
"""End of the name of the class that makes an exception's text; the function uses it for nothing
else."""
OWN_TEXT_CONVERTER: Final = "_arc_inspector_text"
INVOKED: Final = "invoke_"
"""Start of the inner functions' names, before the name of the method."""
CALLED: Final = "python_callback"
"""Their argument that is the Python object."""
PLACEHOLDER: Final = "the call"

Note = Callable[[Any, str, BaseException], None]
"""Is given the Python object (``None``: not known), its method (``""``) and the exception."""


def old_callbacks(namespace: Mapping[str, Any]) -> Iterator[FunctionType]:
    """The functions of a module for callback interfaces."""
    for name, found in list(namespace.items()):
        if name.startswith(MARK) and type(found) is FunctionType:
            code = found.__code__
            if code.co_varnames[: len(PARAMETERS)] == PARAMETERS and not code.co_freevars:
                yield found


class OldCallbackHook:
    """The hook of one function."""

    def __init__(self, function: FunctionType, note: Note) -> None:
        """Sets nothing yet."""
        self._function, self._note = function, note
        self._original = function.__code__
        self._code: CodeType | None = None

    def set(self) -> None:
        """Replace the code."""
        inner = FunctionType(
            _with_own_converter(self._original),
            _Globals(self._function.__globals__, self._note),
            self._function.__name__,
        )
        note = self._note

        def call(*given: Any) -> Any:
            try:
                return inner(*given)
            except BaseException as error:
                note(*called_in(error), error)
                raise

        code = _template.__code__
        constants = tuple(call if each == PLACEHOLDER else each for each in code.co_consts)
        self._code = code.replace(co_consts=constants, co_name=self._original.co_name)
        self._function.__code__ = self._code

    def undo(self) -> None:
        """Restore the code, unless another library replaced it meanwhile."""
        if self._code is not None and self._function.__code__ is self._code:
            self._function.__code__ = self._original
        self._code = None


def called_in(error: BaseException) -> tuple[Any, str]:
    """The Python object and its method that an exception came from; ``(None, "")``: not known."""
    step: TracebackType | None = error.__traceback__
    while step is not None:
        frame = step.tb_frame
        if frame.f_code.co_name.startswith(INVOKED):
            return frame.f_locals.get(CALLED), frame.f_code.co_name.removeprefix(INVOKED)
        step = step.tb_next
    return None, ""


class _Globals(dict[str, Any]):
    """The globals of a module, and the stand-in beside them."""

    __slots__ = ("_module",)

    def __init__(self, module: dict[str, Any], note: Note) -> None:
        names = ("__name__", "__builtins__")
        own = {name: module[name] for name in names if name in module}
        super().__init__(own | {OWN_TEXT_CONVERTER: _Texts(module, note)})
        self._module = module

    def __missing__(self, name: str) -> Any:
        return self._module[name]


class _Texts:
    """Stands for the class that makes an exception's text."""

    __slots__ = ("_module", "_note")

    def __init__(self, module: Mapping[str, Any], note: Note) -> None:
        self._module, self._note = module, note

    def __getattr__(self, name: str) -> Any:
        """Asked for its method within the ``except`` of the function."""
        error = sys.exc_info()[1]
        if error is not None:
            self._note(*called_in(error), error)
        converter = next(each for each in self._module if each.endswith(TEXT_CONVERTER))
        return getattr(self._module[converter], name)


def _with_own_converter(code: CodeType) -> CodeType:
    """The code in which the stand-in has the converter's place, where it makes texts."""
    if "repr" not in code.co_names:
        return code
    return code.replace(
        co_names=tuple(
            OWN_TEXT_CONVERTER if name.endswith(TEXT_CONVERTER) else name for name in code.co_names
        )
    )


def _template(handle: Any, method: Any, *rest: Any) -> Any:
    """The new code; its constant becomes the function that makes the call."""
    call: Any = "the call"
    return call(handle, method, *rest)
