"""A program of each installable generation of UniFFI, over unmodified packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from inspector.model.snapshot import Snapshot
from tests.helpers.generations import CLONING, EVERY, GLEAN, NOSTR, program
from tests.helpers.targets import Target
from tests.helpers.watching import Watch, counts, ended, watched

ONE = (1, 0, 1, 0)
"""An object with one proxy and nothing else: strong, weak, proxies, native refs."""


@contextmanager
def watched_program(requirement: str, *options: str) -> Iterator[tuple[Target, Watch]]:
    """The target, and a session on it."""
    with program(requirement, *options) as target, watched(target.ready["segment"]) as watch:
        yield target, watch


def live(kind: str) -> Callable[[Snapshot], list[str]]:
    """Looks at the live rows of a kind: the names of their types, sorted."""

    def look(snapshot: Snapshot) -> list[str]:
        types = [
            snapshot.types[int(index)]
            for index in snapshot.handles.types[snapshot.handles.references == 1]
        ]
        return sorted(row.name for row in types if row.kind == kind)

    return look


foreign, calls, futures = live("uniffi_foreign"), live("uniffi_call"), live("uniffi_future")


@pytest.mark.parametrize("package", EVERY)
def test_an_object_is_a_row_with_true_counts_from_birth_to_release(package: str) -> None:
    with watched_program(package) as (target, watch):
        made = target.ask("make a")
        watch.until(counts(made), [ONE])
        target.ask("make b")
        watch.until(counts(made), [ONE, ONE])
        target.ask("drop a")
        watch.until(counts(made), [ONE])
        watch.until(ended(made), ["DROPPED"])
        target.ask("drop b")
        snapshot = watch.until(counts(made), [])
        assert snapshot.live_count() == 0
        assert target.finish() == 0
        assert target.errors() == ""


@pytest.mark.parametrize("package", EVERY)
def test_an_object_born_before_the_agent_is_listed_with_its_counts(package: str) -> None:
    with watched_program(package, "early") as (target, watch):
        made = target.ask("make late")
        watch.until(counts(made), [ONE, ONE])


@pytest.mark.parametrize("package", GLEAN)
def test_what_the_library_itself_holds_shows_as_native_references(package: str) -> None:
    with watched_program(package) as (target, watch):
        target.ask("make holder holder")
        target.ask("make a again holder")
        watch.until(counts("BooleanMetric"), [(2, 0, 1, 1)])
        target.ask("make b again holder")
        watch.until(counts("BooleanMetric"), [(3, 0, 2, 1), (3, 0, 2, 1)])
        target.ask("drop holder")
        watch.until(counts("BooleanMetric"), [(2, 0, 2, 0), (2, 0, 2, 0)])


@pytest.mark.parametrize("package", CLONING)
def test_a_second_proxy_shares_the_object(package: str) -> None:
    with watched_program(package) as (target, watch):
        made = target.ask("make a")
        target.ask("share b a")
        watch.until(counts(made), [(2, 0, 2, 0), (2, 0, 2, 0)])
        target.ask("drop a")
        watch.until(counts(made), [ONE])


@pytest.mark.parametrize("package", CLONING)
def test_a_copy_shows_a_double_free_before_it_happens(package: str) -> None:
    with watched_program(package) as (target, watch):
        made = target.ask("make a")
        target.ask("duplicate b a")
        watch.until(counts(made), [(1, 0, 2, -1), (1, 0, 2, -1)])
        target.ask("disarm b")


@pytest.mark.parametrize("package", [each for each in CLONING if each != "bdkpython==2.2.0"])
def test_clones_leaked_by_arguments_that_fail_to_lower_stay_as_native_references(
    package: str,
) -> None:
    with watched_program(package) as (target, watch):
        made = target.ask("make f filter")
        assert target.ask("fail_to_lower f 10") == 10
        watch.until(counts(made), [(11, 0, 1, 10)])


@pytest.mark.parametrize("package", NOSTR)
def test_a_python_object_that_rust_holds_is_a_row_until_rust_lets_go(package: str) -> None:
    with watched_program(package) as (target, watch):
        target.ask("make h held")
        watch.until(foreign, ["Policy"])
        target.ask("drop h")
        watch.until(foreign, [])


METHODS = {
    "nostr-sdk==0.32.2": "Client.handle_notifications",
    "nostr-sdk==0.44.8": "EventBuilder.sign",
    "nostr-sdk": "EventBuilder.finalize_async",
}


@pytest.mark.parametrize("package", NOSTR)
@pytest.mark.parametrize("is_early", [False, True])
def test_a_pending_call_is_a_row_beside_the_object_that_it_keeps_alive(
    package: str, is_early: bool
) -> None:
    with program(package, *(["none"] if is_early else [])) as target:
        if is_early:
            target.ask("call_slowly c")
        segment = target.ask("start history") if is_early else target.ready["segment"]
        with watched(segment) as watch:
            if not is_early:
                target.ask("call_slowly c")
            method = METHODS[package]
            owner = method.partition(".")[0]
            snapshot = watch.until(beside(calls, owner), ([method], 1))
            (call,), (held,) = rows_of(snapshot, method), rows_of(snapshot, owner)
            assert snapshot.handles.addresses[call] == snapshot.handles.addresses[held]
            site = snapshot.sites[int(snapshot.handles.created_sites[call])]
            assert site.short().startswith("generation_steps.py:"), site
            watch.until(lambda snapshot: int(snapshot.handles.native_refs[held]), 1)
            assert snapshot.handles.proxies[held] == 1
            target.ask("cancel c")
            watch.until(calls, [])
        assert target.finish() == 0
        assert target.errors() == ""


def rows_of(snapshot: Snapshot, type_name: str) -> list[int]:
    """Numbers of the live rows of a type."""
    handles = snapshot.handles
    return [
        row
        for row in range(len(handles))
        if handles.references[row] == 1
        and snapshot.types[int(handles.types[row])].name == type_name
    ]


def beside(
    look: Callable[[Snapshot], list[str]], owner: str
) -> Callable[[Snapshot], tuple[list[str], int]]:
    """The names that ``look`` sees, and the number of live rows of the objects they belong to.

    A call that is under way when the agent comes and its object are found one after the other; a
    snapshot may be taken in between.
    """
    return lambda snapshot: (look(snapshot), len(rows_of(snapshot, owner)))


@contextmanager
def awaiting_program(package: str, *, is_early: bool) -> Iterator[tuple[Target, Watch]]:
    """A program whose native code awaits a Python call, and its agent."""
    with program(package, *(["none"] if is_early else [])) as target:
        if is_early:
            target.ask("call_slowly c")
        with watched(target.ask("start history") if is_early else target.ready["segment"]) as watch:
            if not is_early:
                target.ask("call_slowly c")
            yield target, watch
        assert target.finish() == 0


@pytest.mark.parametrize("package", NOSTR[1:])
@pytest.mark.parametrize("is_early", [False, True])
def test_a_call_of_python_that_rust_awaits_is_a_row_beside_its_object(
    package: str, is_early: bool
) -> None:
    """``is_early``: the call began before the agent."""
    with awaiting_program(package, is_early=is_early) as (target, watch):
        method = "Signer.get_public_key" if "==" in package else "Signer.get_public_key_async"
        snapshot = watch.until(beside(futures, "Signer"), ([method], 1))
        (future,), (signer,) = rows_of(snapshot, method), rows_of(snapshot, "Signer")
        assert snapshot.handles.addresses[future] == snapshot.handles.addresses[signer]
        assert snapshot.handles.proxies[signer] == 1
        target.ask("cancel c")
        watch.until(futures, [])
        watch.until(foreign, [])


@pytest.mark.parametrize("package", EVERY)
def test_stopping_leaves_every_class_global_and_native_function_as_it_was(package: str) -> None:
    with program(package, "none") as target:
        target.ask("make early")
        before = target.ask("attributes")
        target.ask("start history")
        assert target.ask("attributes") != before
        made = target.ask("make a")
        assert made
        target.ask("stop")

        assert target.ask("attributes") == before
        target.ask("drop a")
        assert target.finish() == 0
        assert target.errors() == ""
