"""Attaching into a container: other files, other process ids."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from inspector.attach.agent_folder import PREFIX as FOLDER_PREFIX
from inspector.attach.diagnosis import Method
from inspector.attach.discovery import find_published
from inspector.attach.inject import bring_agent
from tests.helpers.command_line import run_command
from tests.helpers.unprepared import close_stdin, unprepared

INSIDE = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"'
PREFIX = (
    "/usr/bin/unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "/bin/sh",
    "-c",
    INSIDE,
    "sh",
)


def can_contain() -> bool:
    done = subprocess.run([*PREFIX, "/bin/true"], check=False, capture_output=True)
    return os.geteuid() == 0 and done.returncode == 0


@pytest.mark.skipif(not can_contain(), reason="making a container takes root and unshare")
def test_a_process_in_a_container_is_attached_by_the_number_that_it_has_for_us():
    with unprepared("sleep", prefix=PREFIX) as target:
        (pid,) = map(
            int, Path(f"/proc/{target.pid}/task/{target.pid}/children").read_text().split()
        )
        assert target.ready["pid"] != pid
        assert "container" in [
            each["key"] for each in run_command("doctor", pid, "--json").json["causes"]
        ]
        found = bring_agent(pid, Method.INJECT).found
        assert found.pid == pid
        assert str(found.segment).startswith(f"/proc/{pid}/root/dev/shm/")
        shown = run_command("handles", pid, "--json")
        assert shown.json["target"]["state"] == "live", shown
        assert run_command("gc", pid, "--json").status == 0
        assert find_published(pid) is not None
        assert list(Path(f"/proc/{pid}/root/dev/shm").glob(f"{FOLDER_PREFIX}*")) == []
        close_stdin(target)
        assert target.expect("done")["right"]
