"""Declarations: in a few words of TOML, how one class of a program keeps a native handle.

Both sides use this, neither owns it.

A viewer reads them from its configuration and sends them; a target checks the received ones, or
reads files of its own. Everything is bounded, and nothing is code: names are looked up, never
imported or evaluated. Pure; any thread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from inspector.errors import UsageError
from inspector.wire.paths import Condition, Path

MAX_DECLARATIONS: Final = 200
"""Of one file or message."""
MAX_NAMES: Final = 32
"""Of one list."""
MAX_CHARS: Final = 200
"""Of one name."""
_DOTTED: Final = r"[^\W\d]\w*(\.[^\W\d]\w*)+"
_EVERY: Final = r"[^\W\d]\w*(\.[^\W\d]\w*)*\.\*"
_FUNCTION: Final = r"([^\W\d]\w*)(?:@(\d))?"

Scalar = str | int | float | bool | None


class Function(NamedTuple):
    """A native function, and which of its arguments names the handle."""

    name: str
    argument: int | None
    """``None``: what it returns, for one that creates; the first argument, for one that
    releases."""


class Declaration(NamedTuple):
    """How one class, or one native library, keeps handles."""

    cls: str
    """``package.module.Class``; ``""``: handles are known by the library's functions alone."""
    name: str
    """The name of its rows."""
    handle: Path | None = None
    """The attribute in which a proxy keeps its handle; ``None``: the proxy is the handle."""
    released: Condition | None = None
    """When the handle is given back although the proxy lives; ``None``: when ``handle`` is none or
    0."""
    close: str = ""
    """The method that closes."""
    close_with: Mapping[str, Scalar] = MappingProxyType({})
    owner_closes: bool = False
    """Only the thread that made it may close."""
    closed_by: tuple[str, ...] = ()
    """Other methods that close."""
    part_of: str = ""
    """The attribute that leads to the declared object whose close waits until this one is
    closed."""
    watch: tuple[str, ...] = ()
    """Methods after which the proxy is looked at: they may open or release the handle."""
    made_by: tuple[str, ...] = ()
    """Functions and methods that return proxies without calling the constructor, or whose class
    cannot be hooked."""
    hide: tuple[str, ...] = ()
    """Modules whose frames are left out of sites."""
    library: str = ""
    """``package.module._lib``: where the native functions are."""
    creates: tuple[Function, ...] = ()
    clones: tuple[Function, ...] = ()
    frees: tuple[Function, ...] = ()
    source: str = ""
    """The place of the declaration, for people."""
    is_shipped: bool = False
    """It comes with the tool; what it runs was looked through."""

    @property
    def module(self) -> str:
        """The module of which every class is followed; ``""``: it is about one class."""
        return self.cls.removesuffix(".*") if self.cls.endswith(".*") else ""

    @property
    def read(self) -> frozenset[str]:
        """The attributes of an instance that are read or called to know its handle and its end."""
        paths = (self.handle, None if self.released is None else self.released.path)
        return frozenset(path.steps[0][0] for path in paths if path is not None and path.steps)

    @property
    def code(self) -> tuple[str, ...]:
        """The code that a declaration makes the program run, as declared.

        It is attributes that are read, and methods that are called.

        A property is code as well.
        """
        read = [
            _path_text(path)
            for path in (self.handle, self.released and self.released.path)
            if path is not None
        ]
        read += [self.part_of] if self.part_of else []
        return tuple(dict.fromkeys([*read, *([self.close_signature] if self.close else [])]))

    @property
    def closers(self) -> tuple[str, ...]:
        """All methods that close."""
        return tuple(dict.fromkeys([*([self.close] if self.close else []), *self.closed_by]))

    @property
    def key(self) -> str:
        """The declaration's subject; two declarations with one key have one subject."""
        return self.cls or f"{self.library}:{self.name}"

    @property
    def close_signature(self) -> str:
        """``close(flush=True)``; ``""`` when it does not close."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.close_with.items())
        return f"{self.close}({arguments})" if self.close else ""


def parse_declarations(
    values: object, source: str, *, is_shipped: bool = False
) -> tuple[list[Declaration], list[str]]:
    """The correct declarations, and one line for each faulty one."""
    if not isinstance(values, list):
        return [], [f"proxy is not a list of tables, write [[proxy]]: {source}"]
    found, troubles = [], []
    for value in values[:MAX_DECLARATIONS]:
        try:
            found.append(parse_declaration(value, source)._replace(is_shipped=is_shipped))
        except UsageError as error:
            troubles.append(f"{error}: {source}")
    if len(values) > MAX_DECLARATIONS:
        troubles.append(
            f"{len(values)} declarations are too many, the first {MAX_DECLARATIONS} "
            f"are used: {source}"
        )
    return found, troubles


def parse_declaration(value: object, source: str) -> Declaration:
    """One declaration from a table. Raises ``UsageError`` with one line that names the class."""
    if not isinstance(value, Mapping):
        raise UsageError("a declaration is not a table")
    about = _shown(value.get("class") or value.get("name") or "a declaration without class")
    try:
        return _checked(
            {_FIELDS.get(name, name): _reader(name)(each) for name, each in value.items()}, source
        )
    except UsageError as error:
        raise UsageError(f"{about}: {error}") from None


def declaration_value(declaration: Declaration) -> dict[str, Any]:
    """The form in which it is sent; ``parse_declaration`` reads it back."""
    value: dict[str, Any] = {
        "class": declaration.cls,
        "name": declaration.name,
        "handle": "" if declaration.handle is None else _path_text(declaration.handle),
        "released": "" if declaration.released is None else _condition_text(declaration.released),
        "close": declaration.close,
        "close_with": dict(declaration.close_with),
        "owner_closes": declaration.owner_closes,
        "part_of": declaration.part_of,
        "library": declaration.library,
    }
    for name in ("closed_by", "watch", "made_by", "hide"):
        value[name] = list(getattr(declaration, name))
    for name in ("creates", "clones", "frees"):
        value[name] = [_function_text(function) for function in getattr(declaration, name)]
    return {name: each for name, each in value.items() if each}


def _checked(fields: dict[str, Any], source: str) -> Declaration:
    """Checks that the fields fit together."""
    cls, library = fields.get("cls", ""), fields.get("library", "")
    functions = any(fields.get(name) for name in ("creates", "clones", "frees"))
    if not cls and not library:
        raise UsageError("class is missing: the dotted name of the proxy class")
    if cls.endswith(".*") and len(fields) > 1:
        raise UsageError("every class of a module is followed without more: write class alone")
    if library and not (fields.get("creates") and fields.get("frees")):
        raise UsageError("a library needs creates and frees: the names of its functions")
    if functions and not library:
        raise UsageError(
            "creates, clones and frees need library: the dotted name of the module "
            "that has the functions"
        )
    if not cls and not fields.get("name"):
        raise UsageError("name is missing: the word for the library's handles")
    if fields.get("closed_by") and not fields.get("close"):
        raise UsageError("closed_by needs close: the method that the inspector calls")
    if cls and library and "handle" not in fields:
        raise UsageError(
            "a class of a library needs handle: the attribute where a proxy keeps "
            "the returned handle"
        )
    fields.setdefault("name", cls.rpartition(".")[2])
    return Declaration(**{"cls": "", **fields}, source=source)


def _reader(name: object) -> Callable[[object], Any]:
    read = _READERS.get(name) if isinstance(name, str) else None
    if read is None:
        raise UsageError(f"{_shown(name)} is not understood, there are {', '.join(_READERS)}")
    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_CHARS or not value.isprintable():
        raise UsageError(f"not a short text: {_shown(value)}")
    return value


def _dotted(value: object) -> str:
    text = _text(value)
    if text and not re.fullmatch(_DOTTED, text):
        raise UsageError(f"not a dotted name such as package.module.Class: {_shown(text)}")
    return text


def _class(value: object) -> str:
    text = _text(value)
    return text if re.fullmatch(_EVERY, text) else _dotted(value)


def _attribute(value: object) -> str:
    text = _text(value)
    if not text.isidentifier():
        raise UsageError(f"not the name of a method: {_shown(text)}")
    return text


def _member(value: object) -> str:
    text = _text(value)
    if not text.isidentifier():
        raise UsageError(f"not the name of an attribute: {_shown(text)}")
    return text


def _module(value: object) -> str:
    text = _text(value)
    if not all(part.isidentifier() for part in text.split(".")):
        raise UsageError(f"not the name of a module: {_shown(text)}")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"neither true nor false: {_shown(value)}")
    return value


def _arguments(value: object) -> dict[str, Scalar]:
    if not isinstance(value, Mapping) or len(value) > MAX_NAMES:
        raise UsageError(f"not a table of arguments: {_shown(value)}")
    for name, each in value.items():
        if not _is_scalar(each):
            raise UsageError(
                f"argument {_shown(name)} is neither a number, a short text nor a flag"
            )
    return {_attribute(name): each for name, each in value.items()}


def _is_scalar(value: object) -> bool:
    """A value that JSON carries.

    It is a finite number of 64 bits at most, a short printable text, a flag or nothing.
    """
    if isinstance(value, str):
        return len(value) <= MAX_CHARS and value.isprintable()
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and -(2**63) <= value < 2**64)


def _function(value: object) -> Function:
    match = re.fullmatch(_FUNCTION, _text(value))
    if match is None:
        raise UsageError(f"not a function such as thing_free or thing_free@1: {_shown(value)}")
    return Function(match[1], None if match[2] is None else int(match[2]))


def _each(read: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...]]:
    def read_all(value: object) -> tuple[Any, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MAX_NAMES:
            raise UsageError(f"not a short list: {_shown(value)}")
        return tuple(read(each) for each in value)

    return read_all


def _shown(value: object) -> str:
    """The start of a value, for an error."""
    try:
        text = value if isinstance(value, str) else repr(value)
    # a number of thousands of digits, or nested deeper than it can be written
    except (ValueError, RecursionError):
        text = f"a large {type(value).__name__}"
    return text[:80] if text.isprintable() else ascii(text[:80])


def _path_text(path: Path) -> str:
    return ".".join(f"{name}()" if is_called else name for name, is_called in path.steps)


def _condition_text(condition: Condition) -> str:
    path = _path_text(condition.path)
    forms = {
        "true": path,
        "false": f"not {path}",
        "none": f"{path} is None",
        "raises": f"{path} raises",
    }
    return forms.get(condition.test, f"{path} == {condition.number}")


def _function_text(function: Function) -> str:
    return function.name if function.argument is None else f"{function.name}@{function.argument}"


_FIELDS: Final[Mapping[str, str]] = {"class": "cls"}
_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "class": _class,
    "name": _text,
    "handle": lambda value: Path.parse(_text(value)),
    "released": lambda value: Condition.parse(_text(value)),
    "close": _attribute,
    "close_with": _arguments,
    "owner_closes": _flag,
    "closed_by": _each(_attribute),
    "part_of": _member,
    "watch": _each(_attribute),
    "made_by": _each(_dotted),
    "hide": _each(_module),
    "library": _dotted,
    "creates": _each(_function),
    "clones": _each(_function),
    "frees": _each(_function),
}
