"""Several packages of UniFFI in one process, of several generations, and one package of two
generated modules."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import start_target
from tests.helpers.watching import counts, ended, watched

ONE, SHARED = (1, 0, 1, 0), (2, 0, 2, 0)
"""An object with one proxy and nothing else, and one with two: strong, weak, proxies, native refs.
"""
MADE = {"bdk": "Amount", "nostr": "Keys", "glean": "BooleanMetric"}
"""What each family's ``make`` makes."""


def installed(name: str) -> str:
    """The folder of the environment's own package."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parents[1])


def older(requirement: str) -> str:
    """The folder of a package beside the environment."""
    try:
        return str(package_folder(requirement))
    except NoPackageError as error:
        pytest.skip(str(error))


@pytest.fixture
def three() -> list[str]:
    """Three packages: contracts 30, 30 and 26."""
    return [
        "bdk",
        installed("bdkpython"),
        "nostr",
        installed("nostr_sdk"),
        "glean",
        older("glean-sdk==60.0.0"),
    ]


def test_objects_of_three_packages_are_counted_apart(three: list[str]) -> None:
    with (
        start_target("together_steps", *three) as target,
        watched(target.ready["segment"]) as watch,
    ):
        for family, name in MADE.items():
            assert target.ask(f"make {family} {family}") == name
            watch.until(counts(name), [ONE])
        for family in ("bdk", "nostr"):
            target.ask(f"share {family}_again {family}")
        for family, name in MADE.items():
            watch.until(counts(name), [ONE] if family == "glean" else [SHARED, SHARED])
        target.ask("drop nostr")
        watch.until(counts("Keys"), [ONE])
        assert counts("Amount")(watch.until(counts("BooleanMetric"), [ONE])) == [SHARED, SHARED]
        target.ask("drop glean")
        watch.until(ended("BooleanMetric"), ["DROPPED"])
        for name in ("bdk", "bdk_again", "nostr_again"):
            target.ask(f"drop {name}")
        for name in MADE.values():
            watch.until(counts(name), [])
        assert target.finish() == 0
        assert target.errors() == ""


def test_stopping_leaves_every_package_as_it_was(three: list[str]) -> None:
    with start_target("together_steps", *three, "none") as target:
        for family in MADE:
            target.ask(f"make {family} {family}")
        before = target.ask("attributes")
        segment = target.ask("start history")
        with watched(segment) as watch:
            for name in MADE.values():
                watch.until(counts(name), [ONE])
        hooked = target.ask("attributes")
        changed = {place.split(".")[0] for place in before if hooked[place] != before[place]}
        assert changed >= {"bdkpython", "nostr_sdk", "glean_generated"}
        target.ask("stop")
        assert target.ask("attributes") == before
        assert target.finish() == 0


def test_two_generated_modules_of_one_package_are_both_followed() -> None:
    folder = older("nostr-sdk==0.32.2")
    with start_target("together_steps", "nostr", folder, "none") as target:
        target.ask("make filter nostr filter")
        before = target.ask("attributes")
        with watched(target.ask("start history")) as watch:
            watch.until(counts("Filter"), [ONE])
            target.ask("make client nostr client")
            watch.until(counts("Client"), [ONE])
            snapshot = watch.until(counts("Filter"), [ONE])
            origins = {row.name: row.origin for row in snapshot.types.values()}
            assert (origins["Filter"], origins["Client"]) == (
                "nostr_sdk.nostr_ffi",
                "nostr_sdk.nostr_sdk_ffi",
            )
        hooked = target.ask("attributes")
        changed = {place.rpartition(".")[0] for place in before if hooked[place] != before[place]}
        assert changed >= {"nostr_sdk.nostr_ffi", "nostr_sdk.nostr_sdk_ffi"}
        target.ask("stop")
        assert target.ask("attributes") == before
        assert target.finish() == 0
