"""``run`` and ``demo``: programs that the tool starts itself."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from pathlib import Path

import pytest

from inspector.model.screenshot import extract
from inspector.model.snapshot import TargetState
from tests.helpers.command_line import command_environment, command_line, run_command

PROGRAM = """
import sys
from inspector.runtime import TodoItem
kept = [TodoItem("kept") for _ in range(7)]
print("argv", sys.argv[1:], __name__)
sys.exit(int(sys.argv[1]))
"""
WAITING = """
import json, signal, sys, os
from inspector.runtime import TodoItem
kept = [TodoItem("kept")]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(43))
print("ready " + json.dumps({"pid": os.getpid()}), flush=True)
signal.pause()
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Keeps seven items and exits with its first argument."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize("status", [0, 5])
def test_a_program_run_headless_keeps_its_arguments_output_and_exit_status(
    program: Path, status: int
) -> None:
    done = run_command("run", "--headless", program, status, "--json", "-m")
    assert done.status == status
    assert done.out == f"argv ['{status}', '--json', '-m'] __main__\n"


def test_at_the_end_the_summary_says_what_was_left(program: Path) -> None:
    done = run_command("run", "--headless", program, 0)
    assert "arc-inspector: 7 handles alive at the end, 0 pending closes" in done.err
    assert "TodoItem: 7 handles of 7 objects" in done.err


def test_a_module_runs_as_python_would_run_it(program: Path) -> None:
    done = run_command(
        "run",
        "--headless",
        "-m",
        "program",
        3,
        env={"PYTHONPATH": f"{command_environment()['PYTHONPATH']}:{program.parent}"},
    )
    assert done.status == 3
    assert done.out == "argv ['3'] __main__\n"


def test_a_program_without_handles_is_run_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "plain.py"
    path.write_text("print('plain')")
    done = run_command("run", "--headless", path)
    assert (done.status, done.out) == (0, "plain\n")


def test_a_program_that_is_killed_ends_the_command_as_a_shell_would_say_it(tmp_path: Path) -> None:
    path = tmp_path / "killed.py"
    path.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert run_command("run", "--headless", path).status == 128 + signal.SIGKILL


def test_a_traceback_of_the_program_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("1 / 0")
    done = run_command("run", "--headless", path)
    assert done.status == 1
    assert "ZeroDivisionError" in done.err
    assert "inspector/commands" not in done.err


def test_a_program_that_does_not_exist_is_said_in_one_line(tmp_path: Path) -> None:
    done = run_command("run", "--headless", tmp_path / "missing.py")
    assert done.status == 2
    assert "No such file" in done.err
    assert "Traceback" not in done.err


def test_an_interpreter_that_does_not_exist_is_said_in_one_line(program: Path) -> None:
    run_command(
        "run", "--headless", "--python", "/nonexistent/python", program
    ).assert_one_line_error(3, "cannot be started", "/nonexistent/python")


def test_an_unknown_level_is_wrong_use(program: Path) -> None:
    run_command("run", "--headless", "--level", "all", program).assert_one_line_error(
        2, "off, count, history and stacks"
    )


def test_signals_are_passed_on_to_the_program(tmp_path: Path) -> None:
    path = tmp_path / "waiting.py"
    path.write_text(WAITING)
    with subprocess.Popen(
        command_line("run", "--headless", path),
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        ready = json.loads(command.stdout.readline().split(b" ", 1)[1])
        assert ready["pid"] != command.pid
        command.send_signal(signal.SIGTERM)
        assert command.wait(60) == 43
        assert b"1 handle alive at the end" in command.stderr.read()


def test_running_in_a_window_without_a_display_says_what_works(program: Path) -> None:
    run_command("run", program, 0).assert_one_line_error(3, "no display", "--headless")


def test_the_demo_without_a_display_does_the_main_job_and_saves_pictures(tmp_path: Path) -> None:
    done = run_command("demo", "-o", tmp_path / "tour")
    assert done.status == 0, done
    assert done.err == ""
    pictures = sorted((tmp_path / "tour").iterdir())
    assert [each.name for each in pictures] == [
        "1-overview.png",
        "2-leak.png",
        "3-pending.png",
        "4-collected.png",
        "5-closed.png",
    ]
    states = {extract(each).target.state for each in pictures}
    assert states == {TargetState.LIVE}
    assert "Collection freed" in done.out
    assert "Closed 1 resource" in done.out
    assert not list(tmp_path.glob("arc-inspector-*/[!.]*")), "the demo's process must be gone"


def test_sigterm_ends_the_window_once_its_program_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "short.py"
    path.write_text("print('done', flush=True)\n")
    environment = command_environment({"QT_QPA_PLATFORM": "offscreen"})
    with subprocess.Popen(
        command_line("run", path),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as viewer:
        assert viewer.stdout is not None
        assert viewer.stdout.readline() == "done\n"
        # the program's own end is not reported: a signal that came before it was the program's
        while viewer.poll() is None:
            viewer.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                viewer.wait(0.2)
        assert viewer.stderr is not None
        assert "Traceback" not in viewer.stderr.read()
