"""Real extension modules without followed classes: no sentence says that all is well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.command_line import run_command
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


def test_births_that_reach_no_hook_of_a_declared_class_are_found_by_a_search() -> None:
    with extension("liburlparser", "liburlparser==2.1.0", "liburlparser.Url") as target:
        target.ask(f"url {MADE}")
        shown = run_command("handles", target.pid, "--json")
        assert len(shown.json["handles"]) == MADE
        assert {each["kind"] for each in shown.json["handles"]} == {"extension"}
        state = run_command("adapters", target.pid)
        assert "followed by extension" in state.out, state
        assert "closes by" not in state.out
