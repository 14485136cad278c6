"""The proxy classes of a generated module, and their instances that are alive.

A scan walks the heap in native code (``native/crates/follow/src/heap.rs``). This module is for one
object on request, and for interpreters whose heap native code does not know: instances are found
through the garbage collector, by the type that each of them refers to. ``gc.get_referrers`` walks
the heap in C (7 ms for 430,000 tracked objects; 0.4 ms more for each further class in one call) and
hands out nothing but referrers of the classes. ``gc.get_objects`` would be as fast, but its list
holds *every* object of the program, so an object that another thread releases meanwhile would be
finalised on the tool's thread; a window or a database connection may not survive that. Not found in
this way are instances that ``gc.freeze`` moved out of sight before the agent started.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress, repeat
from operator import is_
from types import FunctionType
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.uniffi.generation import (
    NEWEST_KNOWN,
    Generation,
    candidate_classes,
    free_name_of,
)
from inspector.vocabulary import Kind
from inspector.wire.uniffi import (
    HANDLE_MAP,
    LIBRARY_NAMES,
    SYNCHRONOUS_CALLS,
    TRAIT_METADATA,
    Shape,
    metadata_symbol,
)

CLASSES_AT_ONCE: Final = 4
"""Classes of one walk through the heap: 8.5 ms at 430,000 tracked objects, 2 ms at 100,000."""
HELD_AT_ONCE: Final = 20_000
"""Instances that become weak references in one step: 2 ms."""
Reference = Callable[[], Any]
"""Gives the proxy, or ``None`` when it went."""
Found = tuple["ProxyClass", list[Reference]]
"""Instances of one class."""


class ProxyClass:
    """A generated class whose instances each own a handle.

    Equal to itself alone; its fields do not change.
    """

    __slots__ = ("clone", "clone_function", "cls", "kind", "release", "shape")

    def __init__(
        self,
        cls: type,
        *,
        kind: Kind,
        shape: Shape,
        clone: FunctionType | None,
        release: Callable[[int], object],
    ) -> None:
        """``kind``: ``UNIFFI`` or ``UNIFFI_TRAIT``.

        ``clone`` counts a proxy up and returns the handle for Rust (``None``: its generation has no
        such thing); ``release`` counts a handle down.
        """
        self.cls = cls
        self.kind = kind
        self.shape = shape
        self.clone = clone
        names = clone.__code__.co_names if clone is not None else ()
        self.clone_function = next((name for name in names if "_fn_clone_" in name), "")
        """Name of the library's function that ``clone`` calls; ``""``: there is none."""
        self.release = release

    @property
    def name(self) -> str:
        """``Wallet``."""
        return self.cls.__name__

    @property
    def origin(self) -> str:
        """The module that was generated."""
        return self.cls.__module__


def proxy_classes(namespace: Mapping[str, Any], generation: Generation) -> tuple[ProxyClass, ...]:
    """The proxy classes of a generated module."""
    library = library_of(namespace)
    return tuple(
        _describe(cls, generation, library, namespace) for cls in candidate_classes(namespace)
    )


def library_of(namespace: Mapping[str, Any]) -> Any:
    """The library that a generated module loaded: a ``ctypes`` library."""
    return next(namespace[name] for name in LIBRARY_NAMES if name in namespace)


def live_proxies(classes: Sequence[ProxyClass]) -> Iterator[Found]:
    """Live instances, also of the program's own subclasses.

    One step is at most one walk through the heap.

    They are handed out as weak references: between two steps other threads run, and objects that
    they release must not wait for the scan. Only when there are more than ``HELD_AT_ONCE`` some are
    held for a few steps. Steps that yield an empty list let other threads run.
    """
    owners = {cls: proxy_class for proxy_class in classes for cls in closure(proxy_class.cls)}
    owners.update((proxy_class.cls, proxy_class) for proxy_class in classes)
    wanted = list(owners)
    for start in range(0, len(wanted), CLASSES_AT_ONCE):
        group = wanted[start : start + CLASSES_AT_ONCE]
        pause: Found = (owners[group[0]], [])
        instances = yield from _instances(group, pause)
        while instances:
            cls, found = instances.popitem()
            references = yield from _references(cls, found, pause)
            yield owners[cls], references
        yield pause


def _instances(
    classes: Sequence[type], pause: Found
) -> Generator[Found, None, dict[type, list[Any]]]:
    """Instances by exact class: ``isinstance`` would run code of the metaclass for each.

    In C, where few other threads come between.
    """
    referrers = gc.get_referrers(*classes)
    is_large = len(referrers) > HELD_AT_ONCE
    if is_large:
        yield pause
    instances = {}
    for cls in set(map(type, referrers)).intersection(classes):
        instances[cls] = list(compress(referrers, map(is_, map(type, referrers), repeat(cls))))
        if is_large:
            yield pause
    return instances


def _references(
    cls: type, instances: list[Any], pause: Found
) -> Generator[Found, None, list[Reference]]:
    """Weak references, or substitutes where instances have no room for weak references.

    Empties the list of instances.
    """
    references: list[Reference] = []
    while instances:
        some = instances[-HELD_AT_ONCE:]
        del instances[-HELD_AT_ONCE:]
        references += (
            map(weakref.ref, some)
            if cls.__weakrefoffset__
            else [partial(next, repeat(one)) for one in some]
        )
        del some
        if instances:
            yield pause
    return references


def _describe(
    cls: type, generation: Generation, library: Any, namespace: Mapping[str, Any]
) -> ProxyClass:
    """The releasing function in the class's ``__del__``, and the object's kind.

    The kind is in the library's metadata.

    The target of a trait's handle is only known up to ``NEWEST_KNOWN``: later it is treated like
    any object.
    """
    free_name, shape = free_name_of(cls) or "", generation.shape
    release = _release(free_name, library, namespace)
    is_trait = generation.contract <= NEWEST_KNOWN and _is_trait(cls, free_name, library, namespace)
    return ProxyClass(
        cls=cls,
        kind=Kind.UNIFFI_TRAIT if is_trait else Kind.UNIFFI,
        shape=shape,
        clone=vars(cls)[shape.clone_name] if shape.clone_name is not None else None,
        release=release,
    )


def _release(free_name: str, library: Any, namespace: Mapping[str, Any]) -> Callable[[int], object]:
    """Counts a handle down as the class's own finaliser does.

    Asked of generations with a clone only; the oldest call otherwise.
    """
    return lambda handle: next(namespace[name] for name in SYNCHRONOUS_CALLS if name in namespace)(
        getattr(library, free_name), handle
    )


def _is_trait(cls: type, free_name: str, library: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether handles of the class stand for a Rust-implemented trait.

    The library says so in a metadata symbol. Without such a symbol (interfaces of a UDL file), a
    trait that Python can implement is known by its ``Impl`` class and handle map; a trait that only
    Rust implements looks like an object, and shows the counts of its outer ``Arc``.
    """
    import ctypes  # loaded by the generated module; programs without one do not pay for it

    try:
        return ctypes.c_uint8.in_dll(library, metadata_symbol(free_name)).value in TRAIT_METADATA
    except ValueError:
        trait = cls.__name__.removesuffix("Impl")
        converters = (
            namespace.get(f"_Uniffi{middle}Type{trait}") for middle in ("FfiConverter", "Converter")
        )
        return trait != cls.__name__ and any(
            HANDLE_MAP in getattr(converter, "__dict__", {}) for converter in converters
        )
