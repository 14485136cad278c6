"""Programs that call finalisers by hand or revive objects: the product's view."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.model.findings.finding import Facts, Verdict
from inspector.model.findings.freed import FreedButHeld
from inspector.model.findings.trend import Trend
from inspector.vocabulary import Level, Resource
from tests.helpers.watching import watched

PROGRAM = """
import os, sys
import bdkpython as bdk
from inspector import agent

segment = agent.start("stacks")

class Returning(bdk.Mnemonic):
    def __del__(self):
        super().__del__()
        held.append(self)

def make(cls=bdk.Mnemonic):
    return cls(bdk.WordCount.WORDS12)

held, sound = [], [make() for _ in range(2)]
if "hand" in sys.argv:
    held += [make() for _ in range(3)]
    for each in held:
        each.__del__()
if "back" in sys.argv:
    for _ in range(3):
        make(Returning)
print(segment, flush=True)
sys.stdin.readline()
assert all(str(each) for each in sound)
"""
TELLS = "import inspector.agent.process as process\nprocess.PROCESS.exit()\n"
"""Makes the exit report."""
ENDS = "os._exit(0)\n"
"""Without another run of the finalisers, which would free twice."""


@pytest.mark.parametrize("way", ["hand", "back"])
def test_the_exit_report_tells_freed_objects_from_held_ones(tmp_path: Path, way: str) -> None:
    report, program = tmp_path / "report.json", tmp_path / "program.py"
    program.write_text(PROGRAM + TELLS + ENDS)
    asked = {"ARC_INSPECTOR_EXIT_REPORT": "1", "ARC_INSPECTOR_EXIT_REPORT_JSON": str(report)}
    done = subprocess.run(
        [sys.executable, str(program), way],
        input="\n",
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        env=os.environ | asked,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    assert [(line["type"], line["count"]) for line in told["freed_still_held"]] == [("Mnemonic", 3)]
    assert sum(line["count"] for line in told["held_by_the_program"]) == 2
    assert "5 handles alive at exit" in done.stderr
    assert "freed, still held: 3" in done.stderr


@pytest.mark.parametrize(("way", "suspects"), [("hand", 3), ("back", 3), ("sound", 0)])
def test_a_finding_names_freed_objects_that_python_still_has(
    tmp_path: Path, way: str, suspects: int
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + ENDS)
    arguments = [sys.executable, str(program), way]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with watched(process.stdout.readline().strip(), level=Level.COUNT) as watch:
            snapshot = watch.until(
                lambda seen: (
                    seen.vitals.live,
                    int((seen.handles.resources == Resource.FREED).sum()),
                ),
                (2 + suspects, suspects),
            )
        (finding,) = FreedButHeld().check(Facts(snapshot, Trend()))
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(60) == 0
    assert finding.verdict is (Verdict.SUSPECT if suspects else Verdict.OK), finding
    assert finding.headline.startswith(
        f"{suspects} proxies of Mnemonic freed" if suspects else "No proxy"
    )
