"""Sources of declarations: TOML files, a project's ``pyproject.toml``, shipped ones by name.

Reading a file never raises: each fault in it is one line. A file that another user could have
written is not used. Any thread.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from inspector.plain_text import one_line
from inspector.wire.declarations import MAX_CHARS, Declaration, parse_declarations

MAX_FILE_BYTES: Final = 256 << 10
MAX_PATH_CHARS: Final = 4096
SHIPPED: Final = (
    Path(__file__).resolve().parent.parent / "agent" / "adapters" / "declared" / "shipped"
)
MAX_ADAPTERS: Final = 100
"""Names of one list."""
MAX_DOTS: Final = 32
"""Of one key; reading it takes as many steps as the square of its parts, and as many more for each
line below it."""
_STRING_OR_COMMENT: Final = (
    r'''"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|'{3}.*?(?:'{3,5}|\Z)'''
    r"""|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|\#[^\n]*"""
)
_BESIDE_KEYS: Final = r"[^.,=\[\]{}\n]+"
"""Patterns are compiled when a file is read: programs without declarations do not pay for them."""
PROJECT_FILE: Final = "pyproject.toml"
TOOL: Final = "arc-inspector"


class Declared:
    """The declarations read, and the faults. Not shared between threads."""

    __slots__ = ("declarations", "troubles")

    def __init__(self, declarations: Iterable[Declaration] = ()) -> None:
        """Without faults."""
        self.declarations = list(declarations)
        """The first of two about one class counts."""
        self.troubles: list[str] = []
        """One line each, cause first."""

    def add(self, values: object, source: str, *, is_shipped: bool = False) -> None:
        """Take the correct tables of a list."""
        found, troubles = parse_declarations(values, source, is_shipped=is_shipped)
        known = {declaration.key for declaration in self.declarations}
        self.declarations += [declaration for declaration in found if declaration.key not in known]
        self.troubles += troubles


def shipped_names() -> list[str]:
    """Names that can be given instead of a file."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def read_named(names: Sequence[str], into: Declared, *, folder: Path) -> None:
    """Files, relative to ``folder``, and shipped declarations by name."""
    known = shipped_names()
    names = list(dict.fromkeys(names))
    for name in names[:MAX_ADAPTERS]:
        if name in known:
            read_file(SHIPPED / f"{name}.toml", into)
        elif name.isidentifier():
            into.troubles.append(
                f"no adapter of this name, there are {', '.join(known)}: {name[:MAX_CHARS]}"
            )
        else:
            read_file(folder / os.path.expanduser(name), into)  # noqa: PTH111 - Path raises for a user that there is not
    if len(names) > MAX_ADAPTERS:
        into.troubles.append(
            f"{len(names)} adapters are too many, the first {MAX_ADAPTERS} are used: {folder}"
        )


def read_file(path: Path, into: Declared) -> None:
    """A file of declarations: ``[[proxy]]`` tables.

    In a ``pyproject.toml`` they are below ``tool.arc-inspector``.
    """
    if path.name == PROJECT_FILE:
        read_project(path, into)
        return
    table = load_toml(path, into.troubles)
    if table is not None:
        _take(table, path, into)


def read_project(path: Path, into: Declared) -> None:
    """The tool's own table of a project's file, if it has such a table."""
    _take(project_table(path, into.troubles), path, into)


def project_table(path: Path, troubles: list[str]) -> dict[str, Any]:
    """``[tool.arc-inspector]`` of a project's file; empty when there is none."""
    table = load_toml(path, troubles, only_with=b"tool.arc-inspector") or {}
    tools = table.get("tool")
    own = tools.get(TOOL) if isinstance(tools, dict) else None
    return own if isinstance(own, dict) else {}


def find_project(folder: Path) -> Path | None:
    """The nearest ``pyproject.toml`` at or above a folder."""
    return next(
        (path for each in (folder, *folder.parents) if (path := each / PROJECT_FILE).is_file()),
        None,
    )


def load_toml(path: Path, troubles: list[str], *, only_with: bytes = b"") -> dict[str, Any] | None:
    """A file as TOML.

    ``None`` with a line in ``troubles`` when it is none, and without one when ``only_with`` does
    not occur in it.
    """
    try:
        data = _read_own(path)
    except (OSError, ValueError) as error:  # ValueError: no path
        troubles.append(
            f"{getattr(error, 'strerror', None) or error}: {str(path)[:MAX_PATH_CHARS]}"
        )
        return None
    if only_with not in data:
        return None
    import tomllib  # programs without declarations do not pay for it

    try:
        return tomllib.loads(_with_short_keys(data.decode()))
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, or no UTF-8
        troubles.append(f"not TOML, {one_line(error)}: {path}")
        return None


def _with_short_keys(text: str) -> str:
    """The text, when no key in it has too many parts. Raises ``ValueError``."""
    beside = re.sub(_STRING_OR_COMMENT, "", text, flags=re.DOTALL)
    keys = re.sub(_BESIDE_KEYS, "", beside)
    if "." * (MAX_DOTS + 1) in keys:
        raise ValueError(f"a key has more than {MAX_DOTS} dots")
    return text


def _take(table: dict[str, Any], path: Path, into: Declared) -> None:
    """The lists of one table."""
    names = table.get("adapters", [])
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        # A file that names files would be a chain; only shipped declarations may be named within a
        # file, and files of a project.
        wanted = (
            names if path.name == PROJECT_FILE else [name for name in names if name.isidentifier()]
        )
        read_named(wanted, into, folder=path.parent)
    else:
        into.troubles.append(f"adapters is not a list of names: {path}")
    if "proxy" in table:
        into.add(table["proxy"], path.name, is_shipped=path.parent == SHIPPED)


def _read_own(path: Path) -> bytes:
    """The bytes of a file that only this user or root could have written. Raises ``OSError``."""
    # A named pipe must not hold up a program's start.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - a descriptor
        status = os.fstat(file.fileno())
        if path.parent != SHIPPED and (
            status.st_uid not in (os.getuid(), 0) or status.st_mode & 0o002
        ):
            raise PermissionError(0, "other users may write this file, so it is not used")
        if status.st_size > MAX_FILE_BYTES:
            raise OSError(0, f"more than {MAX_FILE_BYTES >> 10} KiB, so it is not read")
        return file.read(MAX_FILE_BYTES + 1)
