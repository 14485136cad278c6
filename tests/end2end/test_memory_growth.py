"""Memory that grows in a real process: with its live objects, or without."""

from __future__ import annotations

from tests.helpers.command_line import run_command
from tests.helpers.targets import start_target


def told(mode: str) -> tuple[str, str]:
    """Verdict and headline of the rule on memory."""
    with start_target("memory_growth", mode) as target:
        done = run_command("findings", target.pid, "--for", "5s", "--json")
    (finding,) = [each for each in done.json["findings"] if each["rule"] == "memory-growth"]
    return finding["verdict"], finding["headline"]


def test_growth_without_objects_is_not_blamed_on_them() -> None:
    verdict, headline = told("allocator")
    assert verdict == "not measured"
    assert "and no number of live objects: the growth is an allocator's" in headline


def test_growth_with_objects_is_told_for_each_object() -> None:
    verdict, headline = told("objects")
    assert verdict == "ok"
    assert "live objects more: " in headline
