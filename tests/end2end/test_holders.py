"""Holders in real programs: paths to lines of code, named native holders, cycles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.control import ControlConnection
from inspector.model.balance import balance_of, of_object
from inspector.session.live import LiveSession
from inspector.vocabulary import Level
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import Target, start_target
from tests.helpers.waiting import Follower


@contextmanager
def watched(name: str, *args: str) -> Iterator[tuple[Target, ControlConnection]]:
    with (
        start_target(name, *args) as target,
        connect(target.ready["segment"], target.pid) as connection,
    ):
        yield target, connection


def texts(path: dict[str, Any]) -> list[str]:
    return [step["text"] for step in path["steps"]]


def test_the_path_to_a_proxy_leads_from_a_running_function_to_the_name_it_has() -> None:
    with watched("todo") as (target, connection):
        handle = target.ask("list groceries")
        (path,) = ask(connection, "retainers", handle=handle)["paths"]
        assert path["root"]
        first, middle, last = texts(path)
        assert first == "local program of main, running on MainThread"
        assert middle.startswith("attribute named of __main__.Program at")
        assert last.startswith("['groceries'] of a dict of")
        assert path["steps"][0]["file"].endswith("todo.py")
        assert target.ask("forget") is None
        assert target.finish() == 0


def test_a_list_is_named_as_the_native_holder_of_its_items() -> None:
    with watched("todo") as (target, connection):
        target.ask("list groceries")
        item = target.ask("item milk milk")
        target.ask("add groceries milk")
        (row,) = read_table(target.ready["segment"]).live("TodoList")
        answer = ask(connection, "holders", handle=item)
        assert answer["fields"] == [
            {"from": row.address, "type": "TodoList", "label": "items", "count": 1}
        ]


def test_a_reference_that_native_code_keeps_is_named_by_its_label() -> None:
    with watched("todo") as (target, connection):
        item = target.ask("item milk milk")
        target.ask("label milk recent")
        assert ask(connection, "holders", handle=item)["labels"] == [
            {"label": "recent", "count": 1}
        ]
        target.ask("unlabel recent")
        assert ask(connection, "holders", handle=item)["labels"] == []


def test_a_cycle_through_a_listener_is_found_with_the_edge_to_cut() -> None:
    with watched("todo") as (target, connection):
        target.ask("listening watched")
        assert ask(connection, "cycles", handle=0)["cycles"] == []
        handle = target.ask("knot tied")
        answer = ask(connection, "cycles", handle=handle)
        (cycle,) = answer["cycles"]
        assert cycle["exact"]
        assert [node["side"] for node in cycle["nodes"]] == [
            "native",
            "python",
            "python",
            "python",
            "native",
        ]
        assert cycle["nodes"][-1]["edge"] == "TodoList.listeners → Listener.callback"
        assert cycle["cut"].startswith("attribute items of __main__.Watcher at")
        target.ask("cut")
        assert ask(connection, "cycles", handle=0)["cycles"] == []


def test_a_program_without_callbacks_has_no_cycle_across_the_boundary() -> None:
    with watched("todo") as (target, connection):
        target.ask("list groceries")
        answer = ask(connection, "cycles", handle=0)
        assert (answer["cycles"], answer["is_cut"]) == ([], False)


def test_what_has_no_python_object_behind_it_is_said_in_one_line() -> None:
    with watched("todo") as (_, connection):
        answer = connection.ask("retainers", wait_secs=30.0, handle=(7 << 32) | 2)
        assert answer.error == (
            "no Python object stands behind this handle: native code made it, or it is gone"
        )


def test_bdk_s_persister_cycle_is_found_by_the_scan_and_marked_as_found_so() -> None:
    with watched("bdk_steps") as (target, connection):
        target.ask("persister apart")
        assert ask(connection, "cycles", handle=0)["cycles"] == []
        target.ask("knot tied")
        ask(connection, "scan")
        (cycle,) = ask(connection, "cycles", handle=0)["cycles"]
        assert not cycle["exact"]
        assert cycle["cut"].startswith("attribute persister of __main__.knot.<locals>.Keeper at")
        foreign, keeper, proxy, rust = cycle["nodes"]
        assert foreign["text"].startswith("handle ")
        assert (keeper["side"], proxy["text"], rust["side"]) == (
            "python",
            "proxy Persister",
            "native",
        )
        assert rust["edge"].startswith("≈ ")
        assert rust["handle"] == proxy["handle"]
        target.ask("untie")
        assert ask(connection, "cycles", handle=0)["cycles"] == []


def test_the_path_to_a_uniffi_proxy_leads_from_a_global_list() -> None:
    with watched("bdk_steps") as (target, connection):
        target.ask("leak 3")
        ask(connection, "scan")
        row = read_table(target.ready["segment"]).live("Amount")[1]
        (path,) = ask(connection, "retainers", handle=row.number)["paths"]
        assert path["root"]
        assert texts(path)[0].endswith("global __main__.CACHE")
        assert texts(path)[1].endswith("of a list of 3")


def test_a_python_object_that_rust_holds_is_held_by_the_handle_map() -> None:
    with watched("bdk_steps") as (target, connection):
        target.ask("persister apart")
        ask(connection, "scan")
        (row,) = read_table(target.ready["segment"]).live("Memory")
        paths = ask(connection, "retainers", handle=row.number)["paths"]
        assert [texts(path) for path in paths] == [
            [("native code holds it: a callback in a UniFFI handle map")]
        ]


def test_the_balance_of_one_type_s_stacks_names_the_line_that_keeps_a_reference() -> None:
    with start_target("todo", "count") as target:
        item = target.ask("item milk milk")
        target.ask("list groceries")
        session = LiveSession(Path(target.ready["segment"]), level=Level.COUNT)
        follower = Follower(session)
        try:
            snapshot = follower.wait(
                lambda seen: session.capabilities.act and item in seen.handles.ids
            )
            index = int(snapshot.handles.types[snapshot.handles.ids == item][0])
            session.set_type_level(index, Level.STACKS).result(30)
            for step in (
                "add groceries milk",
                "add groceries milk",
                "clone milk other",
                "drop other",
            ):
                target.ask(step)
            events = session.read_events().result(30).events
            snapshot = follower.wait(lambda seen: set(events.sites.tolist()) <= {0, *seen.sites})
            balance = balance_of(events.take(of_object(events, snapshot, item)), snapshot.sites)
            assert [(site.net, site.text.partition(" ")[2]) for site in balance.sites] == [
                (2, "Program.add")
            ]
            names = {frame.function for site in snapshot.sites.values() for frame in site.frames}
            assert any(name.startswith("ai_todo_list_add_item") for name in names)
        finally:
            follower.leave()
            session.end()
            session.join()


def test_the_memory_of_other_uniffi_objects_is_read_for_holders_and_a_lone_one_has_none() -> None:
    with watched("bdk_steps") as (target, connection):
        target.ask("leak 3")
        ask(connection, "scan")
        row = read_table(target.ready["segment"]).live("Amount")[1]
        answer = ask(connection, "holders", handle=row.number)
        assert (answer["fields"], answer["labels"], answer["unread"]) == ([], [], 0)


def hidden_places() -> list[Any]:
    """Where a proxy is kept, and the steps from the root down, each by its beginning."""
    return [
        ("context", ["context that a thread runs in", "context variable request_id"]),
        (
            "task_context",
            [
                "global __main__.SUSPENDED",
                "[0] of a list of 1",
                "task 'request-7' of waits",
                "context variable request_id",
            ],
        ),
        (
            "failed_task",
            [
                "global __main__.FAILED",
                "[0] of a list of 1",
                "failed task 'poll' of poll",
                "attribute tb_frame of traceback at",
                "local amount of poll, kept by",
            ],
        ),
        ("exit_callback", ["atexit callback flush"]),
        (
            "finalizer",
            [
                "class attribute weakref.finalize._registry",
                "[",
                "weakref.finalize callback flush",
                "[0] of a tuple of 1",
            ],
        ),
        (
            "generator",
            [
                "global __main__.SUSPENDED",
                "[0] of a list of 1",
                "local amount of suspended generator generated",
            ],
        ),
    ]


@pytest.mark.parametrize(("place", "steps"), hidden_places())
def test_a_hidden_place_is_named_from_its_root_and_holds_nothing_once_it_is_emptied(
    place: str, steps: list[str]
) -> None:
    with watched("holder_steps") as (target, connection):
        target.ask(f"keep {place}")
        (row,) = read_table(target.ready["segment"]).live("Amount")
        (path, *_) = ask(connection, "retainers", handle=row.number)["paths"]
        told = texts(path)
        assert path["root"], told
        assert len(told) == len(steps), told
        assert all(text.startswith(step) for text, step in zip(told, steps, strict=True)), told
        target.ask(f"free {place}")
        assert read_table(target.ready["segment"]).live("Amount") == []
        assert target.finish() == 0


@pytest.mark.parametrize(("place", "text"), [("thread_local", "amount"), ("cache", "cached")])
def test_thread_locals_and_caches_lead_to_a_root(place: str, text: str) -> None:
    with watched("holder_steps") as (target, connection):
        target.ask(f"keep {place}")
        (row,) = read_table(target.ready["segment"]).live("Amount")
        paths = ask(connection, "retainers", handle=row.number)["paths"]
        assert paths[0]["root"], paths
        assert any(text in step for step in texts(paths[0])), paths
        target.ask(f"free {place}")
        assert read_table(target.ready["segment"]).live("Amount") == []
        assert target.finish() == 0
