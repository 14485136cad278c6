"""The callbacks that ``atexit`` keeps. Worker thread.

They are in C memory that the collector does not look into, and no function lists them.
"""

from __future__ import annotations

import atexit
import sys
from typing import Final

from inspector.agent.hidden_holders import callable_name
from inspector.wire.hooks import hooks

KEPT_IN_C: Final = sys.version_info < (3, 14)
"""From then on the interpreter keeps its callbacks in a list."""


def exit_places(known: object) -> dict[int, str]:
    """The objects that ``atexit`` keeps, by ``id``, each with its callback's name.

    They are functions, their arguments and keywords.

    ``known`` is the tool's own callback. Empty on interpreters that keep their callbacks in another
    way.
    """
    callbacks = hooks.exit_callbacks(known, atexit._ncallbacks()) if KEPT_IN_C else []
    places: dict[int, str] = {}
    for function, arguments, keywords in callbacks:
        if function is not known:
            name = f"atexit callback {callable_name(function)}"
            places |= {
                id(each): name
                for each in (function, arguments, keywords)
                if each is not None and each != ()
            }
    return places
