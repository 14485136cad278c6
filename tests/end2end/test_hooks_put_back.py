"""An agent that is injected hooks generated, declared and extension classes.

When it goes, each place holds what it held before.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from inspector.errors import AttachError
from tests.helpers.command_line import run_command
from tests.helpers.targets import TARGETS, start_command
from tests.helpers.unprepared import detach, interpreter

DECLARED = (
    '[[proxy]]\nclass = "__main__.Session"\nhandle = "_handle"\nclose = '
    '"close"\n[[proxy]]\nclass = "sqlite3.Connection"\n'
)
CYCLES = [
    pytest.param(5, id="short"),
    pytest.param(50, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
]


def bring(pid: int) -> None:
    """Inject, and again when the target was busy."""
    for _ in range(5):
        try:
            bring_agent(pid, Method.INJECT)
        except AttachError as error:
            if not str(error).startswith("busy"):
                raise
        else:
            return
    pytest.fail("busy five times")


@pytest.mark.parametrize("cycles", CYCLES)
def test_hooks_and_slots_are_after_each_detach_what_they_were_before(
    cycles: int, tmp_path: Path
) -> None:
    found = importlib.util.find_spec("bdkpython")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parents[1]
    file = tmp_path / "declared.toml"
    file.write_text(DECLARED)
    places = {"ARC_INSPECTOR_ADAPTERS": str(file), "XDG_CONFIG_HOME": str(tmp_path)}
    with start_command(
        [interpreter("3.11"), str(TARGETS / "hooked_steps.py"), str(folder)], env=places
    ) as target:
        before = target.ask("hooks")
        for cycle in range(cycles):
            bring(target.pid)
            during = target.ask("hooks")
            changed = {name for name in before if during.get(name) != before[name]}
            slots = {"Connection+48", "Connection+304"}
            assert {"Session.__init__", "Amount.__del__"} | slots <= changed, changed
            target.ask("make")
            if not cycle:
                shown = run_command("handles", target.pid, "--json", env=places)
                assert {each["type"] for each in shown.json["handles"]} == {
                    "Amount",
                    "Session",
                    "Connection",
                }
            detach(target.pid)
            assert target.ask("hooks") == before
        assert target.finish() == 0
