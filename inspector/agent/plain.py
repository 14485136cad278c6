"""Reads objects and classes of the program without running its code.

An attribute of a class is looked up on its metaclass first, an object's attribute on its class;
both may be the program's. So everything is read through the slots of ``type``, ``object``, ``dict``
and module themselves. Any thread.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Final, TypeGuard, TypeVar, cast

Offered = TypeVar("Offered")

_MRO: Final = type.__dict__["__mro__"]
_DICT: Final = type.__dict__["__dict__"]
_NAME: Final = type.__dict__["__qualname__"]
_MODULE: Final = type.__dict__["__module__"]
_BASIC_SIZE: Final = type.__dict__["__basicsize__"]
_FLAGS: Final = type.__dict__["__flags__"]
_MODULE_DICT: Final = cast("Any", ModuleType).__dict__["__dict__"]
_PLAIN: Final = (str, int, bytes, float, bool)
HAVE_GC: Final = 1 << 14
"""``Py_TPFLAGS_HAVE_GC``: the collector knows the instances of a class."""


def offers(thing: object, protocol: Callable[..., Offered]) -> TypeGuard[Offered]:
    """Whether a thing of ours has all that a protocol names.

    ``isinstance`` may import a module then, which a program may lack.
    """
    return all(hasattr(thing, name) for name in vars(protocol) if not name.startswith("_"))


def is_a(thing: object, *kinds: type) -> bool:
    """Whether a thing is of a type.

    ``isinstance`` would ask the thing for its ``__class__``, which may be code of the program.
    """
    # for classes whose own type is ``type`` this asks no metaclass
    return issubclass(type(thing), kinds)


def mro_of(cls: type) -> tuple[type, ...]:
    """A class and its bases, in the order of look-up."""
    found: tuple[type, ...] = _MRO.__get__(cls)
    return found


def names_of(cls: type) -> list[tuple[Any, Any]]:
    """The names and values of a class itself. Keys are not hashed: they may be the program's."""
    return list(_DICT.__get__(cls).items())


def in_class(cls: type, name: str) -> object:
    """An attribute as it stands in a class or one above; ``None``: there is none."""
    for each in mro_of(cls):
        for own, value in names_of(each):
            if type(own) is str and own == name:
                return value
    return None


def kind_name(cls: type) -> str:
    """Name of a class, with its module unless that is built in."""
    name, module = _NAME.__get__(cls), _MODULE.__get__(cls)
    shown = module if type(module) is str else "?"
    return f"{name}" if shown == "builtins" else f"{shown}.{name}"


def name_and_module(cls: type) -> tuple[str, str]:
    """A class's own name and its module's; ``""`` for a module that is no text."""
    module = _MODULE.__get__(cls)
    return f"{_NAME.__get__(cls)}", module if type(module) is str else ""


def kind_of(thing: object) -> str:
    """Name of a thing's type, with its module unless that is built in."""
    return kind_name(type(thing))


def is_known_to_collector(cls: type) -> bool:
    """Whether the instances of a class report their references."""
    return bool(_FLAGS.__get__(cls) & HAVE_GC)


def hides_referents(cls: type) -> str:
    """The class or base whose instances may hold objects unknown to the collector; ``""``: none."""
    for each in mro_of(cls):
        is_empty = _BASIC_SIZE.__get__(each) == _BASIC_SIZE.__get__(object)
        if not is_known_to_collector(each) and not is_empty and _MODULE.__get__(each) != "builtins":
            return kind_name(each)
    return ""


def module_names(module: ModuleType) -> dict[Any, Any]:
    """The globals of a module."""
    found: dict[Any, Any] = _MODULE_DICT.__get__(module)
    return found


def module_of(namespace: dict[Any, Any]) -> str:
    """The module whose globals these are; ``""``: none.

    A module's name is the first of its globals.
    """
    key, name = next(iter(dict.items(namespace)), ("", ""))
    if type(key) is not str or key != "__name__" or type(name) is not str:
        return ""
    module = sys.modules.get(name)
    return name if is_a(module, ModuleType) and module_names(module) is namespace else ""  # type: ignore[arg-type]  # it is one


def instance_dict(holder: object) -> dict[Any, Any] | None:
    """An instance's own dict; ``None`` when it has none, or its class puts something else there."""
    found = in_class(type(holder), "__dict__")
    namespace = found.__get__(holder) if type(found) is GetSetDescriptorType else None
    return namespace if type(namespace) is dict else None


def slot_value(member: MemberDescriptorType, holder: object) -> object:
    """The value in a slot; ``None`` when it is not set."""
    try:
        return member.__get__(holder)
    except AttributeError:
        return None


def shown_key(key: object) -> str:
    """A key of a dict; of one whose ``repr`` would be code of the program the type."""
    return repr(key)[:40] if type(key) in _PLAIN else kind_of(key)


def thread_of(thread: threading.Thread) -> tuple[str, int | None]:
    """Name and system's number of a thread of Python, as they stand.

    The thread's class may have a ``name`` of its own.
    """
    found = {
        key: value
        for key, value in list(dict.items(instance_dict(thread) or {}))
        if type(key) is str
    }
    name, number = found.get("_name"), found.get("_native_id")
    return name if type(name) is str else "", number if type(number) is int else None


def python_threads() -> dict[int, threading.Thread]:
    """The threads that ``threading`` knows, by its number.

    Without its lock, which a thread of the program may hold.
    """
    return dict(list(dict.items(threading._active)))  # type: ignore[attr-defined]  # there is no public way without the lock
