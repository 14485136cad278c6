"""How one Python object holds another, in words; and the objects that a running function holds.

No code of the program runs: no ``repr``, no property, no ``__eq__``. Worker thread.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator
from types import (
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any, Final, NamedTuple

from inspector.agent.hidden_holders import finalizer_text, is_tree, task_text, variable_of
from inspector.agent.plain import (
    instance_dict,
    is_a,
    kind_name,
    kind_of,
    module_names,
    module_of,
    mro_of,
    names_of,
    python_threads,
    shown_key,
    slot_value,
    thread_of,
)

MOST_ENTRIES: Final = 10_000
"""Entries of a container that are searched for the position; in larger ones it is left out."""
CO_OPTIMIZED: Final = 0x1
"""Flag of functions, as `inspect` has it, which a target need not load for this."""
_FRAME_LOCALS: Final = type((lambda: sys._getframe().f_locals)())
"""A dict, from Python 3.13 on a proxy."""
_HELD_BY_US: Final = 3
"""References on the locals of a frame while it is looked at: the frame's, ours, and the argument of
the count."""


class Holding(NamedTuple):
    """One step of a path: the holder, and how it holds."""

    kind: str
    """``global``, ``class``, ``local``, ``context``, ``exit`` are roots;
    ``attribute``, ``item``, ``closure``, ``suspended``, ``native``, ``other`` lead on."""
    text: str
    file: str = ""
    line: int = 0

    @property
    def is_root(self) -> bool:
        """It lives by itself: nothing above it needs to be shown."""
        return self.kind in ("global", "class", "local", "context", "exit")


def how(holder: Any, held: object) -> Holding:
    """How ``holder`` holds ``held``."""
    if is_a(holder, dict):
        return _in_dict(holder, held)
    for base in (list, tuple, deque):
        if is_a(holder, base):
            return _in_sequence(base, holder, held)
    for kind in (set, frozenset):
        if is_a(holder, kind):
            return Holding("item", f"a {kind_of(holder)} of {kind.__len__(holder):,}")
    if is_a(holder, type):
        return Holding(
            "class", f"class attribute {kind_name(holder)}.{_name_in_class(holder, held)}"
        )
    if is_a(holder, ModuleType):
        return Holding("global", f"module {module_of(module_names(holder)) or '?'}")
    return _in_function(holder, held) or _in_interpreter(holder, held) or _in_object(holder, held)


def _in_dict(holder: dict[Any, Any], held: object) -> Holding:
    """A module's globals, or a dict of the program."""
    module = module_of(holder)
    if module:
        return Holding("global", f"global {module}.{_key_of(holder, held)}")
    if holder is sys.modules:
        return Holding("global", f"module {_key_of(holder, held)}")
    return Holding(
        "item", (f"[{_key_of(holder, held)}] of a {kind_of(holder)} of {dict.__len__(holder):,}")
    )


def _in_sequence(base: Any, holder: Any, held: object) -> Holding:
    """A list, tuple or deque, with the position."""
    count = base.__len__(holder)
    places = (
        (place for place, value in enumerate(base.__iter__(holder)) if value is held)
        if count <= MOST_ENTRIES
        else ()
    )
    return Holding("item", f"[{next(iter(places), '?')}] of a {kind_of(holder)} of {count:,}")


def _in_function(holder: Any, held: object) -> Holding | None:
    """Functions, their closures, and frames that do not run now; ``None`` for anything else."""
    if is_a(holder, CellType):
        return Holding("closure", "a variable of a closure")
    if is_a(holder, FunctionType):
        code = holder.__code__
        return Holding(
            "closure", f"function {code.co_qualname}", code.co_filename, code.co_firstlineno
        )
    if is_a(holder, GeneratorType):
        return _in_suspended("generator", holder.gi_code, holder.gi_frame, held)
    if is_a(holder, CoroutineType):
        return _in_suspended("coroutine", holder.cr_code, holder.cr_frame, held)
    if is_a(holder, FrameType):
        code = holder.f_code
        text = (
            f"local {_local_name(holder, held)} of {code.co_qualname}, kept by a traceback or "
            "debugger"
        )
        return Holding("suspended", text, code.co_filename, holder.f_lineno or 0)
    return None


def _in_suspended(word: str, code: CodeType, frame: FrameType | None, held: object) -> Holding:
    """A generator or coroutine that waits."""
    name = _local_name(frame, held) if frame is not None else "?"
    text = f"local {name} of suspended {word} {code.co_qualname}"
    return Holding(
        "suspended", text, code.co_filename, (frame.f_lineno or 0) if frame is not None else 0
    )


def _in_interpreter(holder: object, held: object) -> Holding | None:
    """Contexts, tasks and finalizers, by their names; ``None`` for anything else."""
    if is_tree(holder):
        name = variable_of(holder, held)
        return Holding("attribute", f"context variable {name}") if name else None
    text = task_text(holder, held) or finalizer_text(holder)
    return Holding("attribute", text) if text else None


def _in_object(holder: object, held: object) -> Holding:
    """An instance, by its attribute."""
    name = attribute_name(holder, held)
    if name:
        return Holding("attribute", f"attribute {name} of {kind_of(holder)} at {id(holder):#x}")
    return Holding("other", f"{kind_of(holder)} at {id(holder):#x}")


def attribute_name(holder: object, held: object) -> str:
    """The attribute of an instance that is ``held``, in its dict or a slot; ``""``: unknown."""
    namespace = instance_dict(holder)
    for name, value in list(dict.items(namespace))[:MOST_ENTRIES] if namespace else ():
        if value is held and type(name) is str:
            return name
    for cls in mro_of(type(holder)):
        for name, member in names_of(cls):
            if (
                type(name) is str
                and type(member) is MemberDescriptorType
                and slot_value(member, holder) is held
            ):
                return name
    return ""


def _name_in_class(cls: type, held: object) -> str:
    """The attribute of a class that is ``held``; ``?`` when unknown."""
    return next((name for name, value in names_of(cls) if value is held and type(name) is str), "?")


def _key_of(namespace: dict[Any, Any], held: object) -> str:
    """The key that leads to ``held``, as text; ``?`` when unknown."""
    if dict.__len__(namespace) <= MOST_ENTRIES:
        for key, value in list(dict.items(namespace)):
            if value is held:
                return key if type(key) is str and module_of(namespace) else shown_key(key)
            if key is held:
                return "a key"
    return "?"


# objects held by running functions
# -----------------------------------------------------------------------------------


def running_frames() -> Iterator[tuple[str, FrameType]]:
    """Every frame of every running thread, with the thread's name, innermost first.

    The tool's own threads left out.
    """
    names = {ident: thread_of(thread)[0] for ident, thread in python_threads().items()}
    here = threading.get_ident()
    for ident, innermost in sys._current_frames().items():
        frame: FrameType | None = None if ident == here else innermost
        while frame is not None:
            yield names.get(ident) or f"thread {ident}", frame
            frame = frame.f_back


def locals_of(frame: FrameType) -> list[tuple[str, object]]:
    """A frame's locals, without keeping them alive.

    Before Python 3.13 a frame remembers the dict that it once gave out.
    """
    namespace = frame.f_locals
    if namespace is frame.f_globals:
        return []  # a module's locals, which are found as its globals
    if type(namespace) is not dict and type(namespace) is not _FRAME_LOCALS:
        return []  # a class body whose metaclass keeps its names in a mapping of the program
    found = list(namespace.items())
    is_a_copy = sys.version_info < (3, 13) and bool(frame.f_code.co_flags & CO_OPTIMIZED)
    # a dict with another holder is the program's, from locals(): it stays unchanged
    if is_a_copy and frame.f_trace is None and sys.getrefcount(namespace) == _HELD_BY_US:
        namespace.clear()
    return found


def local_of(thread: str, frame: FrameType, name: str) -> Holding:
    """A local of a running function."""
    code: CodeType = frame.f_code
    return Holding(
        "local",
        f"local {name} of {code.co_qualname}, running on {thread}",
        code.co_filename,
        frame.f_lineno or 0,
    )


def _local_name(frame: FrameType, held: object) -> str:
    return next((name for name, value in locals_of(frame) if value is held), "?")


def is_own(thing: object, own_folder: str) -> bool:
    """Whether a frame, generator or coroutine runs the tool's code."""
    if type(thing) is FrameType:
        return thing.f_code.co_filename.startswith(own_folder)
    if type(thing) is GeneratorType:
        return thing.gi_code.co_filename.startswith(own_folder)
    return False
