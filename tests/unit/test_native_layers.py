"""Contracts of the native crates that neither Cargo nor clippy checks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.helpers.rust_modules import Sources, circles, without_comments

CRATES = Path(__file__).resolve().parents[2] / "native" / "crates"
PLATFORM = CRATES / "platform"
LARGEST_CIRCLE = 4
"""Files of one crate that use each other in a circle, such as a table and its descriptors."""


def manifests() -> dict[str, dict[str, object]]:
    """The manifest of each crate, by its folder's name."""
    return {
        path.parent.name: tomllib.loads(path.read_text()) for path in CRATES.glob("*/Cargo.toml")
    }


def package_of(manifest: Mapping[str, object]) -> Mapping[str, object]:
    """The table on the crate itself."""
    package = manifest["package"]
    assert isinstance(package, dict)
    return package


def dependencies(manifest: Mapping[str, object]) -> set[str]:
    """Names of a crate's dependencies, those of its tests and its build among them."""
    tables = ("dependencies", "dev-dependencies", "build-dependencies")
    found = [manifest.get(table, {}) for table in tables]
    return {name for table in found if isinstance(table, dict) for name in table}


def test_one_crate_alone_uses_the_c_library() -> None:
    users = {name for name, manifest in manifests().items() if "libc" in dependencies(manifest)}
    assert users == {"platform"}


def test_one_crate_alone_reads_the_files_of_the_kernel() -> None:
    users = {
        path.relative_to(CRATES).parts[0]
        for path in CRATES.rglob("*.rs")
        if '"/proc' in without_comments(path.read_text())
    }
    assert users == {"platform"}


def test_crates_use_each_other_in_one_direction_also_in_tests() -> None:
    crates = manifests()
    uses = {name: dependencies(each) & crates.keys() for name, each in crates.items()}
    assert uses["segment"] == {"platform"}
    assert circles(uses) == []


def test_the_crates_of_rust_programs_can_be_packaged() -> None:
    crates = manifests()
    needed, found = ["inspector"], set[str]()
    while needed:
        name = needed.pop()
        found.add(name)
        named = {each.removeprefix("arc-inspector-") for each in dependencies(crates[name])}
        needed += (named & crates.keys()) - found
    assert len(found) > 5
    assert [name for name in sorted(found) if "publish" in package_of(crates[name])] == []
    workspace = tomllib.loads((CRATES.parent / "Cargo.toml").read_text())["workspace"]
    ours = [each for each in workspace["dependencies"].values() if "path" in each]
    assert {each.get("version") for each in ours if "package" in each} == {
        workspace["package"]["version"]
    }


@pytest.mark.parametrize("crate", sorted(manifests()))
def test_files_of_a_crate_use_each_other_in_small_circles_at_most(crate: str) -> None:
    found = circles(Sources(CRATES / crate / "src").uses())
    assert [sorted(group) for group in found if len(group) > LARGEST_CIRCLE] == []


def write_crate(folder: Path, files: Mapping[str, str]) -> Sources:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Sources(folder)


def test_a_circle_is_found_through_use_trees_paths_and_items_that_are_handed_on(
    tmp_path: Path,
) -> None:
    sources = write_crate(
        tmp_path,
        {
            "lib.rs": "mod a; mod b; mod room; pub use room::*;",
            "a.rs": "use crate::{b::B, missing::{self, Other}};\npub struct A;",
            "b.rs": "pub struct B;\nfn go() { crate::Deep::new(); }",
            "room/mod.rs": "mod deep; pub use deep::Deep;",
            "room/deep.rs": "use super::super::a::A as Alias;\npub struct Deep;",
        },
    )
    assert circles(sources.uses()) == [{"a", "b", "room::deep"}]


def test_comments_inner_tests_and_items_that_are_only_handed_on_are_no_use(tmp_path: Path) -> None:
    sources = write_crate(
        tmp_path,
        {
            "lib.rs": "mod a; mod b; pub use a::A; pub struct Root;",
            "a.rs": "// crate::b::B\npub struct A;\n#[cfg(test)]\nmod tests {\n use crate::b;\n}",
            "b.rs": "use super::{A, Root};\npub struct B;",
        },
    )
    assert sources.uses() == {"": set(), "a": set(), "b": {"a", ""}}
