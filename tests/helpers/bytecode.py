"""Compiles the sources that programs of tests import, once.

Python does that by itself, unless ``PYTHONDONTWRITEBYTECODE`` forbids it. Each of two thousand
programs then compiles all that it imports.
"""

from __future__ import annotations

import importlib.util
import py_compile
import sys
from collections.abc import Iterable
from importlib.util import cache_from_source
from pathlib import Path

from tests.helpers.targets import ROOT

IMPORTED = ("inspector", "tests/helpers", "tests/targets")
"""Folders whose modules are imported by programs of tests."""

_FLAGS = slice(4, 8)
_HASH = slice(8, 16)
_CHECKED_HASH = 0b11


def keep_bytecode() -> None:
    """Compile what is not compiled, if Python keeps no bytecode by itself.

    This process keeps its own from now on, so pytest rewrites a test file once.
    """
    if not sys.dont_write_bytecode:
        return
    sys.dont_write_bytecode = False
    compile_sources(path for name in IMPORTED for path in (ROOT / name).rglob("*.py"))


def compile_sources(sources: Iterable[Path]) -> list[Path]:
    """Compile each source whose bytecode is missing or of another text; returns those sources.

    Bytecode is checked by the text of its source at each import, not by its time.
    """
    changed = [source for source in sources if not _is_compiled(source)]
    for source in changed:
        py_compile.compile(
            str(source), quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
        )
    return changed


def _is_compiled(source: Path) -> bool:
    try:
        start = Path(cache_from_source(str(source))).read_bytes()[: _HASH.stop]
    except OSError:
        return False
    return (
        start[:4] == importlib.util.MAGIC_NUMBER
        and int.from_bytes(start[_FLAGS], "little") == _CHECKED_HASH
        and start[_HASH] == importlib.util.source_hash(source.read_bytes())
    )
