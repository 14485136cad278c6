"""Holders that the collector does not tell, or tells without a name.

They are contexts, tasks of asyncio, and finalizers.

Reads C objects through their own types and runs no code of the program. Worker thread.
"""

from __future__ import annotations

import gc
import itertools
import sys
from _contextvars import Context, ContextVar
from collections.abc import Sequence
from pathlib import Path
from types import CoroutineType, FrameType, FunctionType, MethodType, TracebackType
from typing import Any, Final

from inspector.agent.plain import in_class, instance_dict, is_a, kind_of, slot_value

OWN_FOLDER: Final = str(Path(__file__).parent)
_TREE: Final = frozenset({"hamt", "hamt_array_node", "hamt_bitmap_node", "hamt_collision_node"})
"""Names of the interpreter's types for the tree of a context; they have no public name."""
_TASKS_ARE_HIDDEN: Final = sys.version_info < (3, 12)
"""The traversal of C tasks drops the answer of the part that they have of a future, so what is
found there ends no search."""


def is_tree(thing: object) -> bool:
    """Whether a thing is part of the tree in which a context keeps its variables."""
    return kind_of(thing) in _TREE


def variable_of(node: object, held: object) -> str:
    """The context variable whose value in this node is ``held``; ``""``: none.

    A node gives out each value right before its variable.
    """
    referents = gc.get_referents(node)
    pairs = itertools.pairwise(referents)
    found = next((key for value, key in pairs if value is held and type(key) is ContextVar), None)
    return "" if found is None else found.name


def is_current(context: object, own: Sequence[object]) -> bool:
    """Whether a thread runs in the context: only the interpreter holds it.

    ``own`` are the tool's contexts.
    """
    if type(context) is not Context:
        return False
    unwanted = {id(each) for each in own}
    holders = (each for each in gc.get_referrers(context) if id(each) not in unwanted)
    return all(_is_own_frame(each) for each in holders) and not hidden_tasks((context,))


def _is_own_frame(thing: object) -> bool:
    return type(thing) is FrameType and thing.f_code.co_filename.startswith(OWN_FOLDER)


def hidden_tasks(wanted: Sequence[object]) -> list[object]:
    """Tasks that refer to one of these and that a search for referrers does not find."""
    asyncio_tasks = sys.modules.get("asyncio.tasks")
    if not _TASKS_ARE_HIDDEN or asyncio_tasks is None:
        return []
    places = {id(each) for each in wanted}
    references = list((instance_dict(vars(asyncio_tasks).get("_all_tasks")) or {}).get("data", ()))
    tasks = [task for reference in references if (task := reference()) is not None]
    return [
        task for task in tasks if any(id(referent) in places for referent in gc.get_referents(task))
    ]


def task_text(holder: object, held: object) -> str:
    """``failed task 'poll' of poll_relays``.

    ``""``: the holder is no task that asyncio's C code keeps.
    """
    kind = vars(sys.modules["_asyncio"]).get("Task") if "_asyncio" in sys.modules else None
    if kind is None or not is_a(holder, kind):
        return ""
    coroutine: Any = kind.get_coro(holder)
    made_by = f" of {coroutine.cr_code.co_qualname}" if type(coroutine) is CoroutineType else ""
    word = "failed task" if is_a(held, BaseException, TracebackType) else "task"
    return f"{word} {kind.get_name(holder)!r}{made_by}"


def finalizer_text(holder: object) -> str:
    """``weakref.finalize callback flush``; ``""``: the holder is no such callback."""
    weakref = sys.modules.get("weakref")
    finalize = vars(weakref).get("finalize") if weakref is not None else None
    info = vars(finalize).get("_Info") if finalize is not None else None
    if info is None or type(holder) is not info:
        return ""
    return f"weakref.finalize callback {callable_name(slot_value(vars(info)['func'], holder))}"


def callable_name(function: object) -> str:
    """The name of a function or built-in; of another thing its kind."""
    if type(function) is MethodType:
        function = function.__func__
    if type(function) is FunctionType:
        return function.__code__.co_qualname
    own = in_class(type(function), "__qualname__")
    if type(function).__module__ == "builtins" and own is not None:
        name = own.__get__(function)  # type: ignore[attr-defined]  # a descriptor of the interpreter's own type
        return name if type(name) is str else kind_of(function)
    return kind_of(function)
