"""Files of dead processes in the directory of segments, and their removal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inspector.attach import leftovers
from inspector.commands.app import run
from tests.helpers.command_line import command_environment

WORKER = """
import os
from inspector import agent
from inspector.agent.agent import segment_path
agent.start()
from inspector.runtime import TodoItem
kept = [TodoItem("kept") for _ in range(3000)]
print(len(kept), segment_path(), flush=True)
os.read(0, 1)
"""
LONG_AGO_SECS = 3600.0


@pytest.fixture
def _this_folder_alone(segments_of_its_own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a test's own files are removed on this machine."""
    monkeypatch.setattr(
        leftovers, "segment_directories", lambda: list(segments_of_its_own.glob("arc-inspector-*"))
    )


def clean(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The command's output, in this process."""
    assert run(["clean", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def killed_worker(env: dict[str, str] | None = None) -> Path:
    """Path of the segment of a killed worker; ``Path(".")``: it had none."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=command_environment(env),
    )
    assert process.stdout is not None
    said = process.stdout.readline().split()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert said[:1] == ["3000"]
    return Path(*said[1:])


def long_ago(path: Path) -> Path:
    """As if it had died an hour ago."""
    then = time.time() - LONG_AGO_SECS
    os.utime(path, (then, then))
    return path


@pytest.mark.usefixtures("_this_folder_alone")
def test_clean_removes_what_the_dead_left_and_says_how_much(
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, fresh = long_ago(killed_worker()), killed_worker()
    hostile = fresh.with_name("1-1.seg")
    hostile.symlink_to(__file__)
    fresh.with_name("2-2.seg").mkdir()
    size = old.stat().st_blocks * 512
    said = json.loads(clean(capsys, "--json"))
    expected = {
        "schema": 1,
        "removed": 1,
        "removed_bytes": size,
        "kept": 1,
        "kept_bytes": fresh.stat().st_blocks * 512,
        "troubles": [],
    }
    assert said == expected
    assert (old.exists(), fresh.exists()) == (False, True)
    assert not list(old.parent.glob("*.sock"))
    assert clean(capsys, "--all").startswith("removed the last states of 1 dead process, ")
    assert not fresh.exists()
    assert hostile.is_symlink()
    assert Path(__file__).exists()
    assert fresh.with_name("2-2.seg").is_dir()


@pytest.mark.usefixtures("_this_folder_alone")
def test_a_living_process_keeps_its_segment(capsys: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=command_environment(),
    )
    try:
        assert process.stdout is not None
        segment = long_ago(Path(process.stdout.readline().split()[1]))
        assert json.loads(clean(capsys, "--all", "--json"))["removed"] == 0
        assert segment.exists()
    finally:
        process.communicate("x")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="mounting a small file system needs root",
)
def test_a_worker_that_is_killed_again_and_again_finds_room_for_each_segment(
    tmp_path: Path,
) -> None:
    """In a file system of 2 MiB, of which each segment takes a part."""
    code = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nfrom tests.end2end.test_leftovers import "
        "killed_worker\n"
        "print(sum(killed_worker().suffix == '.seg' for _ in range(14)))\n"
    )
    mount = (
        f"mount -t tmpfs -o size=2m,mode=700 none {tmp_path} && XDG_RUNTIME_DIR={tmp_path} "
        'exec "$@"'
    )
    root = str(Path(__file__).parents[2])
    command = ["unshare", "-m", "sh", "-c", mount, "sh", sys.executable, "-c", code, root]
    done = subprocess.run(command, env=command_environment(), capture_output=True, text=True)
    if "permission denied" in done.stderr.lower():
        pytest.skip("mounting is not allowed here")
    assert (done.stdout, done.stderr) == ("14\n", "")
