"""Holders of a Python object, in short sentences.

No code of the program runs. Worker thread; keeps nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final

from inspector.agent.holding import locals_of
from inspector.agent.plain import instance_dict, is_a, kind_of, module_of, shown_key
from inspector.runtime.sites import OWN_MODULES

MOST: Final = 20
"""Referrers that are described; a person reads no more."""
MOST_ENTRIES: Final = 10_000
"""Entries of a container that are searched for the position; in larger ones it is left out."""
_SEQUENCES: Final = (list, tuple)
_SETS: Final = (set, frozenset)


def describe_referrers(thing: object, left_out: Sequence[object] = ()) -> list[str]:
    """One sentence for each holder of ``thing``: module globals, attributes, containers, frames.

    The tool's own are left out.
    """
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
    """Whether a frame is the agent's own."""
    if type(holder) is not FrameType:
        return False
    # the name of a module is the first of its globals
    key, name = next(iter(dict.items(holder.f_globals)), ("", ""))
    return (
        type(key) is str
        and key == "__name__"
        and type(name) is str
        and name.startswith(OWN_MODULES)
    )


def _describe(holder: Any, thing: object) -> str:
    """One holder."""
    if type(holder) is FrameType:
        names = [name for name, value in locals_of(holder) if value is thing]
        code = holder.f_code
        return (
            f"local {names[0] if names else '?'} of {code.co_qualname}, "
            f"{code.co_filename}:{holder.f_lineno}"
        )
    if is_a(holder, dict):
        return _describe_dict(holder, thing)
    for base in _SEQUENCES:
        if is_a(holder, base):
            count = base.__len__(holder)
            places = (
                (index for index, value in enumerate(base.__iter__(holder)) if value is thing)
                if count <= MOST_ENTRIES
                else None
            )
            where = "" if places is None else f", at {next(places, '?')}"
            return f"{kind_of(holder)} of {count:,}{where}{_named(holder)}"
    for kind in _SETS:
        if is_a(holder, kind):
            return f"{kind_of(holder)} of {kind.__len__(holder):,}{_named(holder)}"
    return f"{kind_of(holder)} at {id(holder):#x}"


def _describe_dict(holder: dict[Any, Any], thing: object) -> str:
    """A dict: the globals of a module, the attributes of an object, or a dict of the program."""
    key = _key(holder, thing)
    module = module_of(holder)
    if module:
        return f"global {module}.{_plain(key)}"
    for owner in gc.get_referrers(holder):
        if instance_dict(owner) is holder:
            return f"attribute {_plain(key)} of {kind_of(owner)} at {id(owner):#x}"
    where = f", at {key}" if key else ""
    return f"{kind_of(holder)} of {dict.__len__(holder):,}{where}{_named(holder)}"


def _key(holder: dict[Any, Any], thing: object) -> str:
    """The key of a thing, as it is shown; ``""``: none, or it was not looked for."""
    if dict.__len__(holder) > MOST_ENTRIES:
        return ""
    return next((shown_key(key) for key, value in list(dict.items(holder)) if value is thing), "")


def _plain(key: str) -> str:
    """A name without the quotes of a key."""
    return key.strip("'") or "?"


def _named(container: object) -> str:
    """The module global that a container is, if any."""
    for owner in gc.get_referrers(container):
        name = module_of(owner) if type(owner) is dict else ""
        if name:
            return f" (global {name}.{_plain(_key(owner, container))})"
    return ""
