"""The modules of a Rust crate, and which of them use each other, read from the sources.

Good enough for this workspace: paths by ``use``, paths in the code, and items that a module hands
on with ``pub use``. Macros and inner modules are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

Module = tuple[str, ...]
"""A path from the crate's root: ``()`` is the root itself."""

_KINDS = "fn|struct|enum|trait|type|const|static|union|mod|macro_rules!"
_ITEM = re.compile(
    rf'^\s*(?:pub(?:\([^)]*\))? )?(?:unsafe |const |extern "C" )*(?:{_KINDS}) (\w+)', re.MULTILINE
)
_HANDED_ON = re.compile(r"\bpub(?:\([^)]*\))? use ([^;]+);")
_USE = re.compile(r"\buse ([^;]+);")
_PATH = re.compile(r"\b(?:\w+::)+\w+")
_INNER_TESTS = re.compile(r"^#\[cfg\(.*\btest\b.*\)\]\n(?:pub )?mod \w+ \{", re.MULTILINE)


def without_comments(text: str) -> str:
    """A Rust source without its line comments."""
    return re.sub(r"//.*", "", text)


class Sources:
    """The modules of a crate: the code of each, its items, and the paths that it hands on."""

    def __init__(self, source: Path) -> None:
        """Read all files below ``source``, the crate's folder ``src``; inner tests are left out."""
        self._codes = {
            _module_of(path, source): without_comments(_INNER_TESTS.split(path.read_text())[0])
            for path in source.rglob("*.rs")
        }
        self._items = {module: set(_ITEM.findall(code)) for module, code in self._codes.items()}
        self._handed_on = {
            module: [
                where
                for tree in _HANDED_ON.findall(code)
                for path in _leaves(re.sub(r"\s+", "", tree))
                if (where := self._absolute(path, module)) is not None
            ]
            for module, code in self._codes.items()
        }

    def uses(self) -> dict[str, set[str]]:
        """The modules whose items each module names; handing an item on is no use."""
        return {
            "::".join(module): {
                "::".join(target)
                for path in _paths_of(_HANDED_ON.sub("", code))
                if (where := self._absolute(path, module)) is not None
                and (target := self._holder(where)) != module
            }
            for module, code in self._codes.items()
        }

    def _absolute(self, path: Module, module: Module) -> Module | None:
        """A path from the crate's root; ``None``: it is of another crate."""
        if path[0] == "crate":
            return path[1:]
        if path[0] in ("super", "self"):
            ups = path.count("super")
            return module[: len(module) - ups] + path[ups + path.count("self") :]
        return (*module, *path) if (*module, path[0]) in self._codes else None

    def _holder(self, where: Module, depth: int = 0) -> Module:
        """The module that declares the item at a path, also if other modules hand it on."""
        module = where
        while module not in self._codes:
            module = module[:-1]
        rest = where[len(module) :]
        if not rest or rest[0] in self._items[module] or depth > len(self._codes):
            return module
        for path in self._handed_on[module]:
            if path and path[-1] == rest[0]:
                return self._holder((*path, *rest[1:]), depth + 1)
            if path and path[-1] == "*":
                found = self._holder((*path[:-1], *rest), depth + 1)
                if rest[0] in self._items[found]:
                    return found
        return module


def circles(uses: Mapping[str, Set[str]]) -> list[set[str]]:
    """Groups of nodes that reach each other (Tarjan), the largest first."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        numbers[node] = lowest[node] = len(numbers)
        path.append(node)
        for target in uses.get(node, ()):
            if target not in numbers:
                visit(target)
            if target in path:
                lowest[node] = min(lowest[node], lowest[target])
        if lowest[node] == numbers[node]:
            start = path.index(node)
            found.append(set(path[start:]))
            del path[start:]

    for node in uses:
        if node not in numbers:
            visit(node)
    return sorted((group for group in found if len(group) > 1), key=len, reverse=True)


def _module_of(path: Path, source: Path) -> Module:
    parts = path.relative_to(source).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("lib", "mod", "main") else parts


def _paths_of(code: str) -> Iterator[Module]:
    """Every path of a source: those with braces as one path for each leaf."""
    for tree in _USE.findall(code):
        yield from _leaves(re.sub(r"\s+", "", re.sub(r"\bas \w+", "", tree)))
    for path in _PATH.findall(code):
        yield tuple(path.split("::"))


def _leaves(tree: str) -> Iterator[Module]:
    """The paths of a use tree without spaces: ``a::{b,c::d}`` gives ``a::b`` and ``a::c::d``."""
    head, brace, rest = tree.partition("{")
    start = tuple(part for part in head.split("::") if part)
    if not brace:
        yield start
        return
    depth, piece = 0, ""
    for sign in f"{rest[:-1]},":
        depth += (sign == "{") - (sign == "}")
        if sign == "," and depth == 0:
            yield from (start + leaf for leaf in _leaves(piece) if leaf)
            piece = ""
        else:
            piece += sign
