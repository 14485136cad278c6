"""Real extension modules without followed classes: no sentence says that all is well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.command_line import Finished, run_command
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target

MADE = 300


@contextmanager
def extension(module: str, requirement: str, declared: str = "") -> Iterator[Target]:
    """A target that imported the module, started with that class declared or with none."""
    try:
        folder = package_folder(requirement)
    except NoPackageError as error:
        pytest.skip(str(error))
    Path("declared.toml").write_text(f'[[proxy]]\nclass = "{declared}"\n' if declared else "")
    with start_target(
        "extension_steps", str(folder), module, env={"ARC_INSPECTOR_ADAPTERS": "declared.toml"}
    ) as target:
        yield target
        assert target.finish() == 0


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def assert_growth_is_not_said_to_be_well(done: Finished) -> None:
    assert done.status == 4, done
    told = {each["rule"]: each for each in done.json["findings"]}
    assert told["leak-suspect"]["verdict"] == "not measured", told["leak-suspect"]
    assert "leak-suspect" in done.json["undecided"]


def test_the_objects_of_a_rust_library_are_followed_though_nothing_is_declared() -> None:
    with extension("rpds", "rpds-py==0.20.0") as target:
        target.ask(f"map_called {MADE}")
        target.ask(f"map_returned {MADE}")
        shown = run_command("handles", target.pid, "--json").json["handles"]
        assert {(each["type"], each["kind"]) for each in shown} == {("HashTrieMap", "pyo3")}
        assert len(shown) == 2 * MADE
        done = run_command("findings", target.pid, "--json")
        assert "not-followed" not in [
            each["rule"] for each in done.json["findings"] if each["verdict"] != "ok"
        ]


def test_a_followed_class_is_no_lead_any_more() -> None:
    with extension("rpds", "rpds-py==0.20.0", "rpds.HashTrieMap") as target:
        target.ask(f"map_called {MADE}")
        shown = run_command("handles", target.pid, "--json")
        assert len(shown.json["handles"]) == MADE
        done = run_command("findings", target.pid, "--for", "200ms", "--json")
        lead = next(each for each in done.json["findings"] if each["rule"] == "not-followed")
        assert "rpds.HashTrieMap" not in " ".join(lead["evidence"])


def test_births_that_a_method_of_a_declared_class_returns_are_seen() -> None:
    with extension("rpds", "rpds-py==0.20.0", "rpds.HashTrieMap") as target:
        target.ask(f"map_returned {MADE}")
        shown = run_command("handles", target.pid, "--json")
        assert len(shown.json["handles"]) == MADE


def test_instances_of_a_followed_class_whose_births_are_not_seen_are_said_to_live() -> None:
    cls = "liburlparser.Url"
    with extension("liburlparser", "liburlparser==2.1.0", cls) as target:
        target.ask(f"url {MADE}")
        shown = run_command("adapters", target.pid)
        assert (
            "more instances live: births of this class in native code are not seen" in shown.out
        ), shown
        done = run_command("findings", target.pid, "--json")
        assert_growth_is_not_said_to_be_well(done)
        growth = next(each for each in done.json["findings"] if each["rule"] == "leak-suspect")
        assert growth["headline"] == f"Births cannot be seen of {cls}"
