"""The declarative adapter, over a recorder that remembers."""

from __future__ import annotations

import ctypes
import gc
import mmap
import sys
import types
from typing import Any

import pytest

from inspector.agent.agent import segment_path
from inspector.errors import InspectorError
from inspector.vocabulary import Kind, Reference
from inspector.wire.declarations import parse_declarations
from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.following import MODULE, SESSION, Follower
from tests.unit.agent.adapters.table_recorder import TableRecorder

pytestmark = pytest.mark.usefixtures("unchanged_classes")
BUFFER = {
    "class": f"{MODULE}.Buffer",
    "handle": "address",
    "library": f"{MODULE}.LIBC",
    "creates": ["malloc", "posix_memalign@0"],
    "frees": ["free"],
    "close": "free",
}


def test_a_proxy_has_a_row_from_its_birth_to_its_close(follower: Follower) -> None:
    follower.follow(SESSION)
    session = wrapped.Session()
    (row,) = follower.live("Session")

    assert (row.data, row.kind, row.born_now) == (session._handle.value, Kind.DECLARED, True)
    session.close()
    assert follower.live("Session") == []
    assert follower.recorder.ended("Session") == [Reference.RELEASED]
    assert follower.recorder.closed == 1


def test_a_proxy_that_goes_without_a_close_is_dropped_unclosed(follower: Follower) -> None:
    follower.follow(SESSION)
    session = wrapped.Session()
    del session

    assert follower.recorder.ended("Session") == [Reference.DROPPED]
    assert follower.recorder.closed == 0


def test_a_handle_that_comes_later_is_seen_by_a_watched_method(follower: Follower) -> None:
    follower.follow({**SESSION, "watch": ["open"]})
    session = wrapped.Session(opened=False)
    assert follower.live("Session") == []
    session.open()
    assert len(follower.live("Session")) == 1


def test_a_release_that_no_hook_sees_is_found_by_looking_round(follower: Follower) -> None:
    adapter = follower.follow(SESSION)
    sessions = [wrapped.Session() for _ in range(500)]
    for session in sessions[:450]:
        session._handle = None
    assert len(follower.live("Session")) == 500
    for _ in range(8):
        adapter.poll()
    assert len(follower.live("Session")) == 50


def test_what_lived_before_is_found_by_the_scan_with_its_birth_unknown(follower: Follower) -> None:
    kept, closed = wrapped.Session(), wrapped.Session()
    closed.close()
    adapter = follower.follow(SESSION)
    assert list(adapter.scan())[-1] == 1
    assert list(adapter.scan())[-1] == 1

    (row,) = follower.live("Session")
    assert (row.data, row.born_now) == (kept._handle.value, False)


def test_instances_of_a_derived_class_belong_to_the_declared_one_nearest_to_them(
    follower: Follower,
) -> None:
    follower.follow(SESSION, {"class": f"{MODULE}.Derived", "handle": "_handle"})
    session, derived = wrapped.Session(), wrapped.Derived()
    assert [len(follower.live(name)) for name in ("Session", "Derived")] == [1, 1]
    del session, derived


def test_functions_that_make_proxies_without_the_constructor_are_followed_when_named(
    follower: Follower,
) -> None:
    follower.follow({**SESSION, "made_by": [f"{MODULE}.connect", f"{MODULE}.Session.connect"]})
    sessions = [wrapped.connect(), wrapped.Session.connect(), wrapped.Derived.connect()]
    assert [row.data for row in follower.live("Session")] == [
        session._handle.value for session in sessions
    ]
    assert type(sessions[2]) is wrapped.Derived


def test_a_class_that_says_nothing_of_its_handle_has_rows_all_the_same(follower: Follower) -> None:
    follower.follow({"class": f"{MODULE}.Plain"})
    plain = wrapped.Plain()
    assert [row.address for row in follower.live("Plain")] == [id(plain)]
    del plain
    assert follower.live("Plain") == []


def test_arguments_that_only_new_takes_still_reach_it_alone(follower: Follower) -> None:
    follower.follow({"class": f"{MODULE}.Made", "handle": "number"})
    made = wrapped.Made(7)
    assert (made.number, len(follower.live("Made"))) == (7, 1)
    with pytest.raises(TypeError):
        wrapped.Made()  # type: ignore[call-arg]


def test_hooked_methods_raise_what_they_raised(follower: Follower) -> None:
    follower.follow({**SESSION, "watch": ["fail"]})
    with pytest.raises(ValueError, match="as it would without us"):
        wrapped.Session().fail()


def test_pointers_of_cffi_are_handles_with_an_address(follower: Follower) -> None:
    follower.follow({"class": f"{MODULE}.Guarded", "handle": "pointer"})
    guarded = wrapped.Guarded()
    (row,) = follower.live("Guarded")
    assert row.address == row.data == int(wrapped.FFI.cast("uintptr_t", guarded.pointer))
    guarded.userdata = None
    del guarded
    gc.collect()
    assert follower.live("Guarded") == []


def test_handles_of_new_handle_are_followed_until_the_object_goes(follower: Follower) -> None:
    follower.follow({"class": f"{MODULE}.Guarded", "handle": "userdata"})
    guarded = wrapped.Guarded()
    (row,) = follower.live("Guarded")
    assert row.data == int(wrapped.FFI.cast("uintptr_t", guarded.userdata))
    guarded.userdata = wrapped.FFI.NULL
    follower.adapters[0].poll()
    assert follower.live("Guarded") == []


def test_a_class_of_an_extension_is_followed_by_looking(follower: Follower) -> None:
    adapter = follower.follow({"class": "mmap.mmap", "released": "closed", "close": "close"})
    before = len(follower.live("mmap"))
    mapping, closed = mmap.mmap(-1, 4096), mmap.mmap(-1, 4096)
    adapter.poll()
    assert len(follower.live("mmap")) == before + 2
    closed.close()
    adapter.poll()
    assert len(follower.live("mmap")) == before + 1
    mapping.close()
    adapter.poll()
    assert len(follower.live("mmap")) == before


def test_memory_of_a_library_has_a_row_until_it_is_freed_although_the_proxy_went(
    follower: Follower,
) -> None:
    follower.follow(BUFFER)
    leaked, freed = wrapped.Buffer(10), wrapped.Buffer(10)
    address = leaked.address
    assert len(follower.live("Buffer")) == 2
    freed.free()
    del leaked
    assert [row.address or row.data for row in follower.live("Buffer")] == [address]
    wrapped.LIBC.free(address)
    assert follower.live("Buffer") == []
    assert follower.recorder.ended("Buffer") == [Reference.DROPPED] * 2


def test_memory_that_came_through_a_pointer_argument_is_seen(follower: Follower) -> None:
    follower.follow(BUFFER)
    place = ctypes.c_void_p()
    assert wrapped.LIBC.posix_memalign(ctypes.byref(place), 64, 64) == 0
    assert [row.data for row in follower.live("Buffer")] == [place.value]
    wrapped.LIBC.free(place)
    assert follower.live("Buffer") == []


def test_references_to_one_object_share_its_count(recorder: TableRecorder) -> None:
    library = types.ModuleType("arc_test_library")
    library.__dict__.update(new=lambda: 5, ref=lambda number: None, unref=lambda number: None)
    sys.modules[library.__name__] = library
    follower = Follower(segment_path())
    functions = dict(vars(library))
    try:
        value = {
            "library": "arc_test_library.here",
            "name": "Thing",
            "creates": ["new"],
            "clones": ["ref@0"],
            "frees": ["unref"],
        }
        library.__dict__["here"] = library
        adapter = follower.follow(value)
        number = library.new()
        library.ref(number)
        assert (len(follower.live("Thing")), follower.recorder.singles) == (2, [1, 1])
        library.unref(number)
        assert follower.recorder.ended("Thing") == [Reference.RELEASED]
        assert follower.recorder.singles == [1]
        library.unref(number)
        library.unref(number)
        assert follower.recorder.ended("Thing") == [Reference.RELEASED, Reference.DROPPED]
        adapter.detach()
        assert {**functions, "here": library} == vars(library)
    finally:
        del sys.modules[library.__name__]


def test_a_check_that_the_program_set_itself_still_decides(follower: Follower) -> None:
    def refuse(result: Any, function: Any, arguments: Any) -> str:
        return "checked"

    wrapped.LIBC.malloc.errcheck = refuse
    try:
        follower.follow(BUFFER)
        assert wrapped.LIBC.malloc(1) == "checked"
        follower.adapters[0].detach()
        assert wrapped.LIBC.malloc.errcheck is refuse
    finally:
        del wrapped.LIBC.malloc.errcheck


def test_functions_that_cannot_be_replaced_are_said(follower: Follower) -> None:
    adapter = follower.follow(
        {"library": "builtins.str", "name": "Text", "creates": ["lower"], "frees": ["upper"]}
    )
    with pytest.raises(
        InspectorError,
        match=("calls of lower cannot be seen: functions of a type cannot be replaced"),
    ):
        adapter.poll()


def test_a_module_that_is_imported_later_is_followed_from_then_on(
    follower: Follower, tmp_path: Any, monkeypatch: Any
) -> None:
    (tmp_path / "arc_later.py").write_text("class Session:\n    pass\nearly = Session()\n")
    monkeypatch.syspath_prepend(tmp_path)
    adapter = follower.follow({"class": "arc_later.Session"})
    assert adapter.states()["declared"][0]["waits_for"] == "arc_later is not imported yet"
    import arc_later  # type: ignore[import-not-found]

    late = arc_later.Session()
    assert [row.address for row in follower.live("Session")] == [id(late)]
    adapter.poll()
    assert {row.address for row in follower.live("Session")} == {id(late), id(arc_later.early)}
    del sys.modules["arc_later"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"class": f"{MODULE}.Sesion"}, f"{MODULE} has no Sesion"),
        ({"class": f"{MODULE}.connect"}, "not a class"),
        (
            {
                "class": f"{MODULE}.Slotted",
                **{key: BUFFER[key] for key in ("library", "creates", "frees", "handle")},
            },
            "referred to weakly",
        ),
        ({"class": f"{MODULE}.Slotted"}, "their end would not be seen"),
        ({"class": "builtins.list"}, "a class of the interpreter itself is not followed"),
        ({**SESSION, "close": "shut"}, "it has no method shut"),
        (
            {**SESSION, "made_by": [f"{MODULE}.conect"]},
            (f"made_by {MODULE}.conect: {MODULE} has no conect"),
        ),
        (
            {**SESSION, "made_by": ["mmap.mmap.find"]},
            ("it cannot be replaced, its class belongs to an extension"),
        ),
        ({**BUFFER, "frees": ["no_such_function"]}, "the library has no function no_such_function"),
    ],
)
def test_what_is_wrong_with_a_declaration_is_one_line_and_hurts_nothing(
    follower: Follower, value: dict[str, Any], words: str
) -> None:
    adapter = follower.follow(value)
    with pytest.raises(InspectorError) as raised:
        adapter.poll()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert words in adapter.states()["declared"][0]["trouble"]
    wrapped.Session().close()
    adapter.poll()


def test_a_wrong_attribute_is_said_once_it_is_looked_at(follower: Follower) -> None:
    adapter = follower.follow({**SESSION, "handle": "_hanlde"})
    session = wrapped.Session()
    with pytest.raises(InspectorError, match=r"Session: AttributeError: .*_hanlde.*: a\.toml"):
        adapter.poll()
    assert session._handle is not None


def test_declarations_that_come_while_it_runs_are_followed_and_known_ones_stay(
    follower: Follower,
) -> None:
    adapter = follower.follow(SESSION)
    plain = wrapped.Plain()
    more, _ = parse_declarations(
        [{"class": f"{MODULE}.Plain"}, {**SESSION, "close": "open"}], "viewer"
    )
    adapter.declare(more)

    assert [row.address for row in follower.live("Plain")] == [id(plain)]
    assert [each["source"] for each in adapter.states()["declared"]] == ["a.toml", "viewer"]


def test_while_nothing_is_recorded_nothing_is_kept(follower: Follower) -> None:
    follower.recorder.off = True
    follower.follow(SESSION)
    session = wrapped.Session()
    assert follower.recorder.rows == {}
    session.close()


def test_without_declarations_nothing_is_set(follower: Follower) -> None:
    finders = list(sys.meta_path)
    follower.follow()
    assert sys.meta_path == finders
