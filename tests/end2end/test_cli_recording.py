"""Records a real process, opens and compares the recordings."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from inspector.commands.findings import LOOK_SECS
from inspector.session.replay import ReplaySession
from tests.helpers.command_line import command_environment, command_line, run_command
from tests.helpers.targets import PATIENCE_SECS, Target, start_target


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A session file of a program that made eight items while it was recorded, and then ended."""
    path = tmp_path / "todo.arcs"
    with start_target("todo") as target:
        target.ask("many 5")
        recorder = start_recording(target, path)
        target.ask("many 8")
        assert target.finish() == 0
        out, _ = recorder.communicate(timeout=PATIENCE_SECS)
        assert recorder.returncode == 0
        assert out.startswith("saved ")
    return path


def start_recording(target: Target, path: Path, *, step: str = "numbers") -> subprocess.Popen[str]:
    """A recorder in a process of its own that has written its first snapshot."""
    command = command_line("record", target.pid, "-o", path, "--every", "50ms")
    recorder = subprocess.Popen(
        command, env=command_environment(), stdout=subprocess.PIPE, text=True
    )
    while not (path.exists() and path.stat().st_size > 1000):
        assert recorder.poll() is None
        target.ask(step)
    return recorder


def test_a_process_is_recorded_until_it_ends(recording: Path) -> None:
    session = ReplaySession(recording)
    try:
        first = session.state_at(0.0).result(PATIENCE_SECS)
        assert first.live_count() == 5
        assert session.trouble == ""
        assert len(session.vitals) > 1
        assert len(session.read_events().result(PATIENCE_SECS).events) >= 8
    finally:
        session.end()


def test_the_recording_opens_like_a_screenshot(recording: Path) -> None:
    shown = run_command("open", recording, "--json")
    assert shown.status == 0, shown.err
    assert shown.json["target"]["state"] == "recorded"


def test_a_recording_is_compared_from_its_first_to_its_last_moment(recording: Path) -> None:
    done = run_command("diff", recording, recording, "--json")
    assert done.status == 0, done.err
    assert done.json["same_process"]
    assert done.json["total"]["before"] == 5
    printed = run_command("diff", f"{recording}@50ms", recording)
    assert printed.status == 0, printed.err
    assert "Survived" in printed.out


def test_a_living_process_is_compared_with_its_recording(tmp_path: Path) -> None:
    path = tmp_path / "todo.arcs"
    with start_target("todo") as target:
        target.ask("many 5")
        done = run_command("record", target.pid, "-o", path, "--for", "100ms", "--every", "50ms")
        assert done.status == 0, done.err
        target.ask("many 3")
        found = run_command("diff", f"{path}@0.001s", target.pid, "--json").json
        assert (found["total"]["born"], found["total"]["survived"], found["total"]["dead"]) == (
            3,
            5,
            0,
        )
        (place,) = [each for each in found["sites"] if each["born"]]
        assert place["site"].startswith("todo.py:")
        assert len(place["born_handles"]) == 3


def test_a_moment_that_is_none_is_wrong_use(recording: Path) -> None:
    run_command("diff", f"{recording}@never", recording).assert_one_line_error(
        2, "never", "marks: none"
    )


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.arcs"
    path.write_bytes(b"arcsess\0\1\0\0\0\0\0\0\0rubbish")
    run_command("open", path, "--json").assert_one_line_error(
        1, "no snapshot that can be read", str(path)
    )


def test_a_dead_process_cannot_be_recorded(tmp_path: Path) -> None:
    with start_target("todo") as target:
        target.process.kill()
        target.process.wait()
        run_command("record", target.pid, "-o", tmp_path / "a.arcs").assert_one_line_error(
            1, "the process is gone"
        )


def test_findings_looks_through_every_moment_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "leak.arcs"
    with start_target("defects", "leak", "bad") as target:
        target.ask("go")
        recorder = start_recording(target, path, step="go")
        end = time.monotonic() + 2 * LOOK_SECS
        while time.monotonic() < end:  # moments that are closer are looked at once
            assert recorder.poll() is None
            target.ask("go")
        assert target.finish() == 0
        recorder.communicate(timeout=PATIENCE_SECS)
        assert recorder.returncode == 0
    done = run_command("findings", path, "--json")
    assert done.status in (1, 4), done.err
    assert "leak-suspect" in done.json["undecided"], "so short a recording says nothing of growth"
    assert done.json["target"]["state"] == "recorded"
    assert done.json["observed_secs"] > 0
    assert {each["rule"] for each in done.json["findings"]} >= {"leak-suspect"}


def test_findings_of_what_a_killed_process_left_name_the_resource_never_closed(
    tmp_path: Path,
) -> None:
    with start_target("defects", "unclosed", "bad") as target:
        target.ask("go")
        segment = Path(target.ready["segment"])
        left = tmp_path / "left.seg"
        left.write_bytes(segment.read_bytes())
    done = run_command("findings", left, "--json", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert done.status == 1, done.err
    assert {each["rule"] for each in done.json["findings"] if each["verdict"] == "suspect"} == {
        "never-closed"
    }


def test_findings_of_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no recording")
    run_command("findings", tmp_path / "notes.txt").assert_one_line_error(
        run_command("open", tmp_path / "notes.txt").status, "neither"
    )
