"""Attaching into a container: other files, other process ids."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.attach.agent_folder import PREFIX as FOLDER_PREFIX
from inspector.attach.diagnosis import Method
from inspector.attach.discovery import find_published
from inspector.attach.inject import bring_agent
from tests.helpers.command_line import Finished, command_environment, command_line, run_command
from tests.helpers.targets import TARGETS, start_command
from tests.helpers.terminals import in_terminal
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


POD = """
mount -t tmpfs tmpfs /dev/shm && mount -t tmpfs tmpfs /run &&
mkdir -p /run/own && export XDG_RUNTIME_DIR=/run/own && exec "$@"
"""
SERVICE = {"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.5"}


def value(text: str, name: str, *labels: str) -> list[str]:
    """The values of the lines of a metric that have all labels."""
    return [
        line.rpartition(" ")[2]
        for line in text.splitlines()
        if line.startswith(f"{name}{{") and all(label in line for label in labels)
    ]


@pytest.mark.skipif(not can_contain(), reason="making a container takes root and unshare")
def test_an_exporter_of_the_host_reads_a_process_in_a_container() -> None:
    """As a DaemonSet with the host's process ids: the segment is reached through the root."""
    program = [sys.executable, str(TARGETS / "todo.py"), "count"]
    with start_command([*PREFIX[:-2], POD, "sh", *program], env=SERVICE) as target:
        target.ask("many 7")
        done = run_command("metrics")
        assert done.status == 0, done
        labels = ('service="shop"', 'version="1.5"', 'type="TodoItem"')
        assert value(done.out, "arc_handles_live", *labels) == ["7.0"]
        assert value(done.out, "arc_processes", 'service="shop"', 'state="runs"') == ["1.0"]
        target.finish()


@pytest.mark.skipif(not can_contain(), reason="making a container takes root and unshare")
def test_an_ephemeral_container_reads_the_process_that_it_was_made_for(tmp_path: Path) -> None:
    """The process numbers are those of the container, the files are the command's own."""
    program = [sys.executable, str(TARGETS / "todo.py"), "stacks"]
    with start_command([*PREFIX[:-2], POD, "sh", *program], env=SERVICE) as target:
        target.ask("many 7")
        children = Path(f"/proc/{target.pid}/task/{target.pid}/children").read_text()
        beside = ("/usr/bin/nsenter", "--target", children.strip(), "--pid", "/usr/bin/unshare")
        beside += ("--mount", "/bin/sh", "-c", f"mount -t proc proc /proc && {INSIDE}", "sh")

        def ask(*words: str | Path) -> Finished:
            done = run_command(*map(str, words), prefix=beside)
            assert (done.status, done.err) == (0, ""), done
            return done

        (row,) = [each for each in ask("ps", "--json").json["processes"] if each["pid"] == 1]
        assert row["attachable"]
        assert len(ask("handles", "1", "--json").json["handles"]) == 7
        assert "todo.py" in ask("stacks", "1").out
        assert ask("gc", "1", "--json").json["schema"] == 1
        recording = tmp_path / "a.arcs"
        ask("record", "1", "-o", recording, "--for", "1s")
        assert len(run_command("handles", recording, "--json").json["handles"]) == 7
        words = [*beside, *command_line("top", "1")]
        with in_terminal(words, command_environment()) as terminal:
            terminal.expect(b"TodoItem")
            assert terminal.status_after("q") == 0
        found = value(ask("metrics").out, "arc_handles_live", 'service="shop"', 'type="TodoItem"')
        assert found == ["7.0"]
        target.finish()


@pytest.mark.skipif(not can_contain(), reason="making a container takes root and unshare")
def test_a_sidecar_with_the_folder_of_segments_alone_reads_counts(tmp_path: Path) -> None:
    """As a sidecar with a shared volume: counts are known, the service and the state are not."""
    shared = {"XDG_RUNTIME_DIR": str(tmp_path)}
    with start_command(
        [sys.executable, str(TARGETS / "todo.py"), "count"], env={**SERVICE, **shared}
    ) as target:
        target.ask("many 7")
        done = run_command("metrics", env=shared, prefix=PREFIX)
        assert done.status == 0, done
        labels = ('service=""', 'program="todo.py"', 'type="TodoItem"')
        assert value(done.out, "arc_handles_live", *labels) == ["7.0"]
        assert value(done.out, "arc_processes", 'service=""', 'state="unknown"') == ["1.0"]
        target.finish()
