"""Declared classes that belong to an extension.

No attribute of theirs can be set, or no weak reference to their instances made.

With the real recorder: native code ends these rows.
"""

from __future__ import annotations

import gc
import mmap
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic_core
import pytest

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.declared.extension import is_of_interpreter
from inspector.agent.adapters.declared.names import Place, find
from inspector.agent.adapters.extension_classes import not_followed
from inspector.vocabulary import Level
from inspector.wire import ffi, lib
from inspector.wire.declaration_files import Declared, read_named
from inspector.wire.declarations import parse_declarations
from inspector.wire.hooks import hooks

VALIDATOR = {"class": "pydantic_core.SchemaValidator"}
DEALLOC, INIT = 48, 296
"""Bytes from a type's start to what was hooked."""


def slots() -> list[int]:
    """The functions in the hooked slots."""
    classes = (sqlite3.Connection, sqlite3.Cursor, mmap.mmap, pydantic_core.SchemaValidator)
    return [
        int(ffi.cast("uint64_t *", id(cls) + at)[0]) for cls in classes for at in (DEALLOC, INIT)
    ]


@pytest.fixture
def adapter() -> Iterator[DeclaredAdapter]:
    declared = Declared(parse_declarations([VALIDATOR], "a.toml")[0])
    read_named(["sqlite3", "mmap"], declared, folder=Path())
    gc.collect()
    before, attributes, level = slots(), dict(vars(sqlite3.Connection)), lib.ai_level()
    lib.ai_set_level(Level.HISTORY)
    adapter = DeclaredAdapter(declared)
    adapter.attach()
    assert slots() != before
    yield adapter
    adapter.detach()
    lib.ai_set_level(level)
    assert slots() == before
    assert dict(vars(sqlite3.Connection)) == attributes


def live(adapter: DeclaredAdapter, name: str) -> int:
    """Rows of a class."""
    return next(
        int(each["rows"])
        for each in adapter.states()["declared"]
        if each["class"].endswith(f".{name}")
    )


def row_of(adapter: DeclaredAdapter, proxy: object) -> int:
    return adapter.boundary.proxy_row(proxy)


def test_a_connection_has_a_row_until_it_is_gone(adapter: DeclaredAdapter) -> None:
    before = lib.ai_live_handles()
    connection = sqlite3.connect(":memory:")
    assert (live(adapter, "Connection"), lib.ai_live_handles()) == (1, before + 1)
    cursor = connection.cursor()
    assert live(adapter, "Cursor") == 1
    del cursor
    assert live(adapter, "Cursor") == 0
    connection.close()
    del connection
    assert (live(adapter, "Connection"), lib.ai_live_handles()) == (0, before)


def test_a_connection_that_is_closed_and_kept_ends_its_row(adapter: DeclaredAdapter) -> None:
    connection, kept = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    connection.close()
    adapter.poll()
    assert live(adapter, "Connection") == 1
    kept.close()


def test_a_class_that_the_program_derives_is_followed_as_well(adapter: DeclaredAdapter) -> None:
    class Own(sqlite3.Connection):
        def __init__(self, path: str) -> None:
            super().__init__(path)
            self.note = "mine"

    adapter.poll()
    own = Own(":memory:")
    assert (live(adapter, "Connection"), own.note) == (1, "mine")
    own.close()
    del own
    gc.collect()
    assert live(adapter, "Connection") == 0


def test_a_connection_cannot_be_closed_from_another_thread_and_that_is_said(
    adapter: DeclaredAdapter,
) -> None:
    connection = sqlite3.connect(":memory:")
    row = row_of(adapter, connection)
    assert adapter.owns(row)
    assert adapter.boundary.python_object(row) is connection
    verdict = adapter.close(row, although_held=True, preview=False)
    assert (verdict.outcome, verdict.reason) == (
        "refused",
        ("only the thread that made it may close it, and nothing can be run there"),
    )
    connection.close()


def test_mappings_are_made_as_before_with_all_their_arguments(adapter: DeclaredAdapter) -> None:
    before = live(adapter, "mmap")
    mapping = mmap.mmap(-1, 4096, access=mmap.ACCESS_WRITE)
    assert len(mapping) == 4096
    assert live(adapter, "mmap") == before + 1
    with pytest.raises(TypeError):
        mmap.mmap()  # type: ignore[call-arg]
    mapping.close()


def test_a_class_of_pyo3_without_weak_references_is_followed_to_its_end(
    adapter: DeclaredAdapter,
) -> None:
    validator = pydantic_core.SchemaValidator(pydantic_core.core_schema.int_schema())
    row = row_of(adapter, validator)
    assert row
    assert validator.validate_python(3) == 3
    references = sys.getrefcount(validator)
    assert adapter.boundary.python_object(row) is validator
    assert sys.getrefcount(validator) == references
    del validator
    assert adapter.boundary.python_object(row) is None
    assert not adapter.owns(row)


def test_a_class_of_an_extension_that_says_its_module_is_builtins_is_not_the_interpreters() -> None:
    from tokenizers import Tokenizer

    claims = type("Claims", (), {"__module__": "builtins"})
    assert [
        is_of_interpreter(cls) for cls in (int, type(lambda: 0), type(iter([])), Exception)
    ] == [True] * 4
    assert [
        is_of_interpreter(cls)
        for cls in (sqlite3.Connection, Tokenizer, pydantic_core.SchemaValidator)
    ] == [False] * 3
    assert not hooks.is_of_python(Tokenizer)
    assert hooks.is_of_python(claims)
    assert str(hooks.library_of(pydantic_core.SchemaValidator)).endswith(".so")


def test_instances_that_live_without_a_row_are_told() -> None:
    declared = {"class": "pydantic_core.SchemaValidator"}
    alone = DeclaredAdapter(Declared(parse_declarations([declared], "a.toml")[0]))
    before = [
        pydantic_core.SchemaValidator(pydantic_core.core_schema.int_schema()) for _ in range(300)
    ]
    alone.attach()
    (state,) = alone.states()["declared"]
    known = bool(pydantic_core.SchemaValidator.__flags__ & 1 << 14)
    assert (state["unseen"], "births of this class cannot be seen" in state["trouble"]) == (
        not known,
        not known,
    )
    told = next(
        each for path, each in alone.states()["not_followed"].items() if "pydantic_core" in path
    )
    assert told["classes"] > 0
    before.clear()
    alone.detach()


def test_of_a_library_that_nobody_follows_the_class_with_the_most_instances_is_named() -> None:
    kept = [
        pydantic_core.SchemaValidator(pydantic_core.core_schema.int_schema()) for _ in range(300)
    ]
    told = next(each for path, each in not_followed(()).items() if "pydantic_core" in path)
    followed = next(
        each
        for path, each in not_followed({pydantic_core.SchemaValidator}).items()
        if "pydantic_core" in path
    )
    assert told["example"].endswith("SchemaValidator")
    assert isinstance(find(told["example"]), Place)
    assert 270 < told["live"] < 600
    assert followed["classes"] == told["classes"] - 1
    assert followed["example"] != told["example"]
    kept.clear()


def test_what_lived_before_is_found_and_its_end_is_seen(adapter: DeclaredAdapter) -> None:
    adapter.detach()
    connections = [sqlite3.connect(":memory:") for _ in range(3)]
    again = DeclaredAdapter(
        Declared(parse_declarations([{"class": "sqlite3.Connection"}], "a.toml")[0])
    )
    again.attach()
    list(again.scan())
    assert live(again, "Connection") == 3
    while connections:
        connections.pop().close()
    assert live(again, "Connection") == 0
    again.detach()


def test_threads_that_make_and_drop_leave_no_row(adapter: DeclaredAdapter) -> None:
    def churn() -> None:
        for _ in range(500):
            connection = sqlite3.connect(":memory:")
            connection.cursor()
            connection.close()

    before = lib.ai_live_handles()
    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (live(adapter, "Connection"), live(adapter, "Cursor"), lib.ai_live_handles()) == (
        0,
        0,
        before,
    )


def test_what_was_made_while_hooked_ends_well_after_the_hooks_went(
    adapter: DeclaredAdapter,
) -> None:
    kept: list[Any] = [
        sqlite3.connect(":memory:"),
        pydantic_core.SchemaValidator(pydantic_core.core_schema.int_schema()),
    ]
    adapter.detach()
    kept[0].close()
    kept.clear()
    assert lib.ai_live_handles() == 0
