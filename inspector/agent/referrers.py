"""Who holds a Python object, said in short sentences. Runs on the agent's worker thread; looks, keeps nothing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import Any, Final

from inspector.runtime.sites import OWN_MODULES

MOST: Final = 20
"""Referrers that are described; a person reads no more."""
MOST_ENTRIES: Final = 10_000
"""Entries of a container that are searched for the position; in larger ones it is left out."""


def describe_referrers(thing: object, left_out: Sequence[object] = ()) -> list[str]:
    """One sentence for each holder of ``thing``: module globals, attributes, containers, frames. The tool's own are left out."""
    holders = gc.get_referrers(thing)
    unwanted = {id(holders), id(left_out), *map(id, left_out)}
    found = []
    for holder in holders:
        if id(holder) in unwanted or _is_tool(holder):
            continue
        found.append(_describe(holder, thing))
        if len(found) == MOST:
            break
    return found


def _is_tool(holder: object) -> bool:
    """Whether a frame is one of the agent's own."""
    return isinstance(holder, FrameType) and str(holder.f_globals.get("__name__", "")).startswith(OWN_MODULES)


def _describe(holder: object, thing: object) -> str:
    """One holder."""
    if isinstance(holder, FrameType):
        names = [name for name, value in holder.f_locals.items() if value is thing]
        code = holder.f_code
        return f"local {names[0] if names else '?'} of {code.co_qualname}, {code.co_filename}:{holder.f_lineno}"
    if isinstance(holder, dict):
        return _describe_dict(holder, thing)
    if isinstance(holder, list | tuple) and len(holder) <= MOST_ENTRIES:
        places = [index for index, value in enumerate(holder) if value is thing]
        return f"{_kind(holder)} of {len(holder):,}, at {places[0] if places else '?'}{_named(holder)}"
    if isinstance(holder, list | tuple | set | frozenset):
        return f"{_kind(holder)} of {len(holder):,}{_named(holder)}"
    return f"{_kind(holder)} at {id(holder):#x}"


def _describe_dict(holder: dict[Any, Any], thing: object) -> str:
    """A dict: the globals of a module, the attributes of an object, or a dict of the program."""
    keys = [key for key, value in list(holder.items()) if value is thing] if len(holder) <= MOST_ENTRIES else []
    module = sys.modules.get(str(holder.get("__name__"))) if isinstance(holder.get("__name__"), str) else None
    if isinstance(module, ModuleType) and module.__dict__ is holder:
        return f"global {module.__name__}.{keys[0] if keys else '?'}"
    for owner in gc.get_referrers(holder):
        if getattr(owner, "__dict__", None) is holder:
            return f"attribute {keys[0] if keys else '?'} of {_kind(owner)} at {id(owner):#x}"
    where = f", at {_key(keys[0])}" if keys else ""
    return f"dict of {len(holder):,}{where}{_named(holder)}"


def _key(key: object) -> str:
    """A key, when showing it runs no code of the program."""
    return repr(key)[:40] if type(key) in (str, int, bytes, float, bool) else _kind(key)


def _named(container: object) -> str:
    """The module global or class attribute that a container is, if it is one."""
    for owner in gc.get_referrers(container):
        name = owner.get("__name__") if type(owner) is dict else None
        module = sys.modules.get(name) if isinstance(name, str) else None
        if module is not None and module.__dict__ is owner:
            keys = [key for key, value in list(owner.items()) if value is container]
            return f" (global {name}.{keys[0]})" if keys else ""
    return ""


def _kind(thing: object) -> str:
    """Name of the type, with its module unless that is built in."""
    kind = type(thing)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
