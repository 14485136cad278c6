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


def test_a_library_that_is_not_followed_is_named_everywhere_and_followed_on_demand() -> None:
    with extension("liburlparser", "liburlparser==2.1.0") as target:
        target.ask(f"url {MADE}")
        shown = run_command("handles", target.pid)
        assert "Not followed: liburlparser._urlparser_py (nanobind): " in shown.out
        assert f"arc-inspector adapters {target.pid} --follow " in shown.out
        found = run_command("findings", target.pid, "--for", "200ms")
        assert "? Not followed: liburlparser._urlparser_py (nanobind): " in found.out
        doctor = run_command("doctor", target.pid)
        assert "Not followed unless named" in doctor.out
        assert "_urlparser_py (nanobind)" in doctor.out
        followed = run_command("adapters", target.pid, "--follow", "liburlparser._urlparser_py")
        assert "Not followed" not in followed.out, followed
        shown = run_command("handles", target.pid, "--json")
        assert [each["type"] for each in shown.json["handles"]].count("Url") == MADE
        target.ask(f"url {MADE}")
        run_command("adapters", target.pid, "--follow", "liburlparser._urlparser_py")  # searches
        shown = run_command("handles", target.pid, "--json")
        assert [each["type"] for each in shown.json["handles"]].count("Url") == 2 * MADE
        target.ask("stop")  # the library keeps an object for ever


def test_a_module_that_is_no_extension_is_not_followed_and_the_reason_is_said() -> None:
    with extension("liburlparser", "liburlparser==2.1.0") as target:
        done = run_command("adapters", target.pid, "--follow", "json")
        assert "not followed: json is no extension module" in done.out
        assert done.status == 1


def test_classes_of_constants_are_hidden_and_listed_on_demand() -> None:
    with extension("rustworkx", "rustworkx==0.16.0") as target:
        shown = run_command("handles", target.pid)
        assert "is hidden: " in shown.out or "are hidden: " in shown.out
        listed = run_command("adapters", target.pid, "--constants")
        lines = [line for line in listed.out.splitlines() if line.startswith("constants only: ")]
        assert lines
        assert f"{len(lines):,} constant class" in shown.out
        value = run_command("adapters", target.pid, "--json").json
        assert len(value["constants"]) == len(lines)


def test_a_check_names_the_libraries_whose_objects_nobody_followed() -> None:
    folder = package_folder("liburlparser==2.1.0")
    code = f"import sys; sys.path.append({str(folder)!r}); import liburlparser, rpds; rpds.List()"
    Path("program.py").write_text(code)
    done = run_command("check", "--", "program.py")
    assert "not followed: liburlparser._urlparser_py (nanobind): " in done.err
    assert "no followed handle leaked" in done.err or "nothing was followed" in done.err
