"""A program of each generation of UniFFI that is still installed: unmodified packages, the old ones from beside the environment."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.model.snapshot import Snapshot
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import Watch, counts, ended, watched

ONE = (1, 0, 1, 0)
"""An object with one proxy and nothing else: strong, weak, proxies, native refs."""
BORROWING = ("glean-sdk==50.1.4", "glean-sdk==54.0.0", "glean-sdk==57.0.0")
"""Before contract numbers, contract 22, contract 24."""
CLONING = ("nostr-sdk==0.32.2", "bdkpython==2.2.0", "nostr-sdk==0.44.8", "nostr-sdk", "bdkpython")
"""Contract 26, 29, 29, 30, 30."""
GLEAN = (*BORROWING, "glean-sdk==60.0.0")
NOSTR = tuple(each for each in CLONING if each.startswith("nostr"))
EVERY = ("bdkpython==0.0.4", *GLEAN, *CLONING)


@contextmanager
def program(requirement: str, *options: str) -> Iterator[Target]:
    """The target over one package; without a version, the one of the environment."""
    if "==" in requirement:
        try:
            folder = package_folder(requirement)
        except NoPackageError as error:
            pytest.skip(str(error))
    else:
        spec = importlib.util.find_spec(requirement.replace("-", "_"))
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parents[1]
    family = requirement.partition("==")[0].partition("-")[0].removesuffix("python")
    with start_target("generation_steps", family, str(folder), *options) as target:
        yield target


@contextmanager
def watched_program(requirement: str, *options: str) -> Iterator[tuple[Target, Watch]]:
    """The target, and a session on it."""
    with program(requirement, *options) as target, watched(target.ready["segment"]) as watch:
        yield target, watch


def foreign(snapshot: Snapshot) -> list[str]:
    live = snapshot.handles.references == 1
    types = [snapshot.types[int(index)] for index in snapshot.handles.types[live]]
    return [row.name for row in types if row.kind == "uniffi_foreign"]


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
def test_clones_leaked_by_arguments_that_fail_to_lower_stay_as_native_references(package: str) -> None:
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
