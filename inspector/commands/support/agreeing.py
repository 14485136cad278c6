"""The person's consent to their own declarations.

A declaration has a program run the code that it names, on the agent's thread.

It is asked for once and remembered by content: a declaration that changes is asked for again.
Shipped declarations were looked through with the tool and need none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import platformdirs

from inspector.commands.support.preparing import ask_on_terminal
from inspector.wire.declaration_files import Declared, read_file
from inspector.wire.declarations import Declaration, declaration_value

AGREED_VARIABLE: Final = "ARC_INSPECTOR_TRUST_DECLARATIONS"
"""Set to 1 it is the consent, for scripts."""
MOST_SHOWN: Final = 5
MOST_REMEMBERED: Final = 200

Ask = Callable[[str], bool]
"""Shows a question and tells whether the person agrees."""


def configured_path() -> Path:
    """``adapters.toml`` in their configuration folder; the file may not be there."""
    return platformdirs.user_config_path("arc-inspector") / "adapters.toml"


def configured(ask: Ask | None = ask_on_terminal) -> Declared:
    """The declarations that the person agreed to for every process, and their faults.

    Never raises.

    ``ask`` is called when consent is missing; ``None``: nobody can be asked now.
    """
    declared, path = declared_by_person(), configured_path()
    if is_agreed(declared):
        return declared
    if ask is not None and ask(question_about(declared)):
        agree(declared)
        return declared
    own = _own(declared)
    declared.declarations = [each for each in declared.declarations if each.is_shipped]
    some = "1 declaration is" if len(own) == 1 else f"{len(own)} declarations are"
    declared.troubles.append(
        f"{some} not used until you agree to the code that they run, once: arc-inspector "
        f"adapters --trust: {path.name}"
    )
    return declared


def declared_by_person() -> Declared:
    """All that the file of the configuration folder declares, agreed to or not."""
    declared = Declared()
    if configured_path().exists():
        read_file(configured_path(), declared)
    return declared


def is_agreed(declared: Declared) -> bool:
    """Whether nothing in it needs a consent that was not given."""
    return (
        not _own(declared)
        or os.environ.get(AGREED_VARIABLE) == "1"
        or _digest(declared) in _remembered()
    )


def agree(declared: Declared) -> None:
    """Remember the consent. A folder that cannot be written makes it last for this time only."""
    if not _own(declared):
        return
    kept = [_digest(declared), *(each for each in _remembered() if each != _digest(declared))]
    path = _memory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_suffix(f".{os.getpid()}")
        whole.write_text(json.dumps(kept[:MOST_REMEMBERED]))
        whole.replace(path)
    except OSError:
        return


def question_about(declared: Declared) -> str:
    """The meaning of a consent, in sentences; empty when no consent is missing."""
    if is_agreed(declared):
        return ""
    own = _own(declared)
    shown = "; ".join(
        f"{each.key}: {', '.join(each.code) or 'nothing but its constructor'}"
        for each in own[:MOST_SHOWN]
    )
    more = f"; and {len(own) - MOST_SHOWN} more" if len(own) > MOST_SHOWN else ""
    return (
        f"Your {configured_path().name} has each program that you look at run code of its own, "
        f"on a thread of the agent: {shown}{more}. "
        "It should be quick, and safe to run at any time."
    )


def _own(declared: Declared) -> Sequence[Declaration]:
    """The declarations that do not come with the tool."""
    return [each for each in declared.declarations if not each.is_shipped]


def _digest(declared: Declared) -> str:
    """A digest of the content that consent is given to."""
    values = [declaration_value(each) for each in _own(declared)]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _memory() -> Path:
    return platformdirs.user_state_path("arc-inspector") / "declarations.json"


def _remembered() -> list[str]:
    """Digests of what was agreed to; a damaged file says nothing."""
    try:
        found = json.loads(_memory().read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
