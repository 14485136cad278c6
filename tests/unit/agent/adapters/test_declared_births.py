"""Births of declared classes in native code: makers, errors, threads, no traces."""

from __future__ import annotations

import copy
import ctypes
import gc
import inspect
import itertools
import mmap
import sqlite3
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from inspector.errors import InspectorError
from inspector.vocabulary import Level, Reference, Resource
from inspector.wire import lib
from tests.helpers import tables
from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.following import MODULE, Follower

SESSION = {"class": f"{MODULE}.Session", "handle": "_handle.value", "close": "close"}
PLAIN = {"class": f"{MODULE}.Plain"}
GUARDED = {"class": f"{MODULE}.Guarded", "handle": "pointer"}
MAPPING = {"class": "mmap.mmap", "released": "closed", "close": "close"}
CURSOR = {"class": "sqlite3.Cursor", "close": "close", "owner_closes": True}
VALIDATOR = {"class": "pydantic_core.SchemaValidator"}


def on_a_thread(name: str, make: Callable[[], Any]) -> Any:
    """The result of ``make`` on a thread of this name."""
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(make()), name=name)
    thread.start()
    thread.join()
    return made.pop()


def rows_of(follower: Follower, name: str) -> list[tables.Row]:
    """Live rows of a type, from the table."""
    return [row for row in follower.recorder.table_rows() if row.is_live and row.type == name]


def validator() -> Any:
    import pydantic_core

    return pydantic_core.SchemaValidator(pydantic_core.core_schema.int_schema())


@pytest.mark.parametrize(
    ("value", "make"),
    [
        (SESSION, wrapped.Session),
        (
            {"class": f"{MODULE}.Buffer", "handle": "address", "close": "free"},
            lambda: wrapped.Buffer(10),
        ),
        (GUARDED, wrapped.Guarded),
        ({**GUARDED, "handle": "userdata"}, wrapped.Guarded),
        (MAPPING, lambda: mmap.mmap(-1, 4096)),
        (VALIDATOR, validator),
    ],
    ids=["ctypes", "ctypes memory", "cffi gc", "cffi new_handle", "C extension", "PyO3"],
)
def test_every_kind_of_wrapper_has_an_age_a_thread_and_a_birthplace(
    follower: Follower, value: dict[str, Any], make: Callable[[], Any]
) -> None:
    lib.ai_set_level(Level.STACKS)
    before = lib.ai_ticks()
    adapter = follower.follow(value)
    name = value["class"].rpartition(".")[2]
    kept = on_a_thread("worker-7", make)
    (row,) = rows_of(follower, name)

    assert before < row.created_at_ticks < lib.ai_ticks()
    assert row.created_by == "worker-7"
    assert any(frame.startswith("test_declared_births.py:") for frame in row.created)
    assert adapter.boundary.python_object(row.number) is kept
    if "close" in value:
        assert adapter.close(row.number, although_held=True, preview=False).outcome == "closed"
        assert follower.recorder.closed == 1
    del kept
    gc.collect()
    assert rows_of(follower, name) == []


def test_a_class_that_only_its_owner_may_close_shows_the_owner(follower: Follower) -> None:
    follower.follow(CURSOR)
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    cursor = on_a_thread("worker-8", connection.cursor)
    assert [row.owner for row in rows_of(follower, "Cursor")] == ["worker-8"]
    del cursor


def test_a_constructor_that_raises_leaves_no_row_and_raises_what_it_raised(
    follower: Follower,
) -> None:
    class Broken(wrapped.Session):
        def __init__(self) -> None:
            super().__init__()
            raise ValueError("as without us")

    follower.follow(SESSION, PLAIN)
    with pytest.raises(ValueError, match="as without us"):
        Broken()
    gc.collect()
    assert follower.live("Session") == []
    with pytest.raises(TypeError, match="unexpected keyword argument 'closed'"):
        wrapped.Session(closed=True)  # type: ignore[call-arg]


def test_an_interrupt_while_the_handle_is_read_reaches_the_program(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(wrapped.Plain, "handle", property(interrupt), raising=False)
    adapter = follower.follow({**PLAIN, "handle": "handle"})
    with pytest.raises(KeyboardInterrupt):
        wrapped.Plain()
    adapter.detach()


def test_a_row_made_before_recording_went_off_still_ends(follower: Follower) -> None:
    follower.follow(SESSION)
    closed, dropped = wrapped.Session(), wrapped.Session()
    follower.recorder.off = True
    closed.close()
    del dropped
    assert follower.live("Session") == []
    unseen = wrapped.Session()
    assert follower.live("Session") == []
    follower.recorder.off = False
    del unseen


def test_a_proxy_in_a_cycle_ends_with_the_collection(follower: Follower) -> None:
    follower.follow(PLAIN)
    plain: Any = wrapped.Plain()
    plain.itself = plain
    del plain
    gc.collect()
    assert follower.live("Plain") == []


def test_a_proxy_that_changes_its_class_keeps_its_row(follower: Follower) -> None:
    class Other:
        pass

    follower.follow(PLAIN)
    plain: Any = wrapped.Plain()
    plain.__class__ = Other
    assert len(follower.live("Plain")) == 1
    del plain
    assert follower.live("Plain") == []


def test_a_copy_is_found_by_the_scan(follower: Follower) -> None:
    adapter = follower.follow(PLAIN)
    plain = wrapped.Plain()
    other = copy.copy(plain)
    assert len(follower.live("Plain")) == 1
    list(adapter.scan())
    assert {row.address for row in follower.live("Plain")} == {id(plain), id(other)}
    del plain, other


def test_hooked_methods_look_like_what_they_stand_for(follower: Follower) -> None:
    signature, text = inspect.signature(wrapped.Session), wrapped.Session.close.__qualname__
    adapter = follower.follow(SESSION)
    assert inspect.signature(wrapped.Session) == signature
    assert wrapped.Session.close.__qualname__ == text
    assert wrapped.Session().close.__self__ is not None
    adapter.detach()


def test_functions_that_return_several_are_followed(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        wrapped, "some", lambda: [wrapped.connect(), 3, wrapped.connect()], raising=False
    )
    follower.follow({**SESSION, "made_by": [f"{MODULE}.some"]})
    sessions = wrapped.some()  # type: ignore[attr-defined]
    assert len(follower.live("Session")) == 2
    adapter = follower.adapters[0]
    adapter.detach()
    assert len(sessions) == 3


def test_attached_again_the_same_classes_have_the_same_type(follower: Follower) -> None:
    session = wrapped.Session()
    seen = set()
    for _ in range(3):
        adapter = follower.follow(SESSION)
        list(adapter.scan())
        (row,) = rows_of(follower, "Session")
        seen.add(row.type_index)
        adapter.detach()
        assert rows_of(follower, "Session") == []
    assert len(seen) == 1
    session.close()


@pytest.mark.usefixtures("small_heap")
def test_rounds_of_attaching_leave_no_object_and_no_memory_behind(follower: Follower) -> None:
    values = [SESSION, PLAIN, GUARDED, MAPPING, CURSOR, VALIDATOR]

    def round_of_attaching() -> None:
        adapter = follower.follow(*values)
        follower.adapters.clear()
        connection = sqlite3.connect(":memory:")
        kept = [
            wrapped.Session(),
            wrapped.Plain(),
            wrapped.Guarded(),
            mmap.mmap(-1, 4096),
            connection.cursor(),
            validator(),
        ]
        kept[0].close()
        adapter.poll()
        kept[2].userdata = None
        if len(kept) % 2:
            kept.clear()
        adapter.detach()
        connection.close()

    for _ in range(5):
        round_of_attaching()
    gc.collect()
    before, references = len(gc.get_objects()), sys.getrefcount(wrapped.Session)
    tracemalloc.start()
    try:
        held = tracemalloc.get_traced_memory()[0]
        for _ in range(25):
            round_of_attaching()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    assert len(gc.get_objects()) - before < 40
    assert sys.getrefcount(wrapped.Session) - references < 5
    assert grown < 40 * 1024


def test_followed_instances_leave_no_object_behind(follower: Follower) -> None:
    follower.follow(SESSION, PLAIN)

    def make() -> None:
        for _ in range(500):
            wrapped.Session().close()
            wrapped.Session()
            wrapped.Plain()

    make()
    gc.collect()
    before = len(gc.get_objects())
    make()
    gc.collect()
    assert len(gc.get_objects()) - before < 20
    plain = wrapped.Plain()
    assert weakref.getweakrefcount(plain) == 1
    follower.adapters[0].detach()
    assert weakref.getweakrefcount(plain) == 0


@pytest.mark.usefixtures("small_heap")
def test_threads_that_make_close_and_drop_while_it_is_attached_and_detached(
    follower: Follower,
) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    before = dict(vars(wrapped.Session))
    connection = sqlite3.connect(":memory:", check_same_thread=False)

    def churn() -> None:
        try:
            for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
                kept = [
                    wrapped.Session(),
                    wrapped.Derived(),
                    wrapped.Plain(),
                    wrapped.Guarded(),
                    connection.cursor(),
                    validator(),
                ]
                kept[0].close()
                kept[1].close(flush=True)
                kept += [kept] * (number % 50 == 0)
                mmap.mmap(-1, 4096).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=churn) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(12):
            lib.ai_set_level((Level.STACKS, Level.OFF, Level.COUNT, Level.HISTORY)[number % 4])
            adapter = follower.follow(SESSION, PLAIN, GUARDED, MAPPING, CURSOR, VALIDATOR)
            for _ in range(2):
                # the scan may meet a proxy before its constructor has set the attributes, and would
                # report it
                adapter.poll_quietly()
                list(adapter.scan())
                adapter.states()
            adapter.detach()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert dict(vars(wrapped.Session)) == before


def test_a_ctypes_structure_that_owns_a_handle_is_followed(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Point(ctypes.Structure):
        _fields_ = (("place", ctypes.c_void_p),)

    monkeypatch.setattr(wrapped, "Point", Point, raising=False)
    follower.follow({"class": f"{MODULE}.Point", "handle": "place"})
    point = Point(77)
    assert [row.data for row in follower.live("Point")] == [77]
    del point
    assert follower.live("Point") == []
    follower.adapters[0].detach()


def test_what_fails_is_said_once_with_the_class(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapped.Plain, "handle", "text", raising=False)
    adapter = follower.follow({**PLAIN, "handle": "handle.real"})
    wrapped.Plain()
    with pytest.raises(
        InspectorError, match=r"Plain: AttributeError: 'str' object has no attribute 'real'"
    ):
        adapter.poll()


def test_resources_of_rows_tell_how_they_ended(follower: Follower) -> None:
    follower.follow(SESSION, PLAIN)
    wrapped.Session().close()
    wrapped.Session()
    wrapped.Plain()
    ended = {
        (row.type, row.reference, row.resource)
        for row in follower.recorder.table_rows()
        if not row.is_live
    }
    assert ended == {
        ("Session", Reference.RELEASED, Resource.CLOSED),
        ("Session", Reference.DROPPED, Resource.NEVER_CLOSED),
        ("Plain", Reference.DROPPED, Resource.NONE),
    }
