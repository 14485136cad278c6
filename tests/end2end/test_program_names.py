"""Programs whose folder has modules of any name.

Theirs stay theirs, and the agent runs all the same.
"""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from inspector.attach import agent_files, injector
from inspector.attach.agent_files import library_for
from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from tests.helpers.command_line import Finished, command_environment
from tests.helpers.targets import ROOT, start_command
from tests.helpers.unprepared import interpreter

PTH = (ROOT / "arc_inspector.pth").read_text().strip()
NAMES = (
    "cffi",
    "dataclasses",
    "enum",
    "functools",
    "json",
    "queue",
    "signal",
    "threading",
    "typing",
)
"""Most of them are imported by the agent. In a plain interpreter each is the program's."""
PROGRAM = """
import sys
import inspector, cffi, json, queue, signal, typing
print(inspector.mine, cffi.mine, json.mine, queue.mine, signal.mine, typing.mine, sys.argv[1:], __name__)
"""
REAL = "import bdkpython\nkept = [bdkpython.Amount.from_sat(7)]\n"


def hide(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """A program in a folder with an ``inspector`` and modules of those names."""
    for name in ("inspector", *names):
        (folder / f"{name}.py").write_text(f"mine = {name!r}\n")
    (folder / "app.py").write_text(PROGRAM)
    return folder


def run_here(*words: str) -> Finished:
    """The command, itself not hidden by the program's module of its name."""
    command = [sys.executable, "-P", "-m", "inspector", *words]
    done = subprocess.run(
        command, env=command_environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def said_plainly(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """The output of the program without us."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=command_environment(env),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    "words",
    [("app.py", "x"), ("-m", "app", "x"), ("-c", PROGRAM, "x"), ("-X", "dev", "-B", "app.py")],
)
def test_a_program_imports_its_own_modules_whatever_their_names_are(
    tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hide(tmp_path))
    done = run_here("run", "--headless", sys.executable, *words)
    assert (done.status, done.out) == (0, said_plainly(tmp_path, *words)), done
    assert done.err.startswith("arc-inspector: 0 handles alive")


@pytest.mark.parametrize("minor", ["3.11", "3.12"])
@pytest.mark.parametrize("words", [("run", "--headless"), ("check", "--")])
def test_an_interpreter_without_cffi_takes_ours_and_the_program_its_own(
    tmp_path: Path, words: tuple[str, ...], minor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    subprocess.run([interpreter(minor), "-m", "venv", "--without-pip", str(plain)], check=True)
    python = str(plain / "bin" / "python")
    folder = tmp_path / "program"
    folder.mkdir()
    monkeypatch.chdir(hide(folder, (*NAMES, "_cffi_backend", "pycparser", "struct", "contextlib")))
    expected = subprocess.run(
        [python, "app.py", "x"],
        env=command_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    done = run_here(*words, python, "app.py", "x")
    assert (done.status, done.out) == (4 if words[0] == "check" else 0, expected), done
    assert "Error" not in done.err


@pytest.mark.parametrize("is_package", [False, True])
def test_check_judges_a_program_beside_a_module_of_our_name(
    tmp_path: Path, is_package: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if is_package:
        (tmp_path / "inspector" / "agent").mkdir(parents=True)
        for name in (
            "inspector/__init__.py",
            "inspector/agent/__init__.py",
            "inspector/agent/launch.py",
        ):
            (tmp_path / name).write_text("mine = 'inspector'\n")
    else:
        hide(tmp_path, ("json",))
    (tmp_path / "leaking.py").write_text(f"import inspector\nassert inspector.mine\n{REAL}")
    done = run_here("check", "--json", "found.json", "--", sys.executable, "leaking.py")
    assert done.status == 1, done
    assert "1 × Amount" in done.err
    assert json.loads((tmp_path / "found.json").read_text())["verdict"] == "leaks"


def test_a_suite_of_a_program_with_a_module_of_our_name_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inspector.py").write_text("mine = 'inspector'\n")
    (tmp_path / "test_suite.py").write_text(
        f"import inspector\n{REAL}def test_mine():\n    assert inspector.mine\n    "
        "kept.append(kept[0].from_sat(8))\n"
    )
    done = run_here("check", "--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.status == 1, done
    assert "1 handle made by this test outlived it" in done.out


def test_the_environment_starts_the_agent_beside_modules_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    hide(folder)
    (tmp_path / "sitecustomize.py").write_text(PTH)  # run at the time of a .pth line
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    expected = said_plainly(folder, "app.py", "x", env=environment)
    report = tmp_path / "left.json"
    more = environment | {"ARC_INSPECTOR": "1", "ARC_INSPECTOR_EXIT_REPORT_JSON": str(report)}
    done = subprocess.run(
        [sys.executable, "app.py", "x"],
        cwd=folder,
        env=command_environment(more),
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)
    assert json.loads(report.read_text())["held_by_the_program"] == []


def test_a_program_that_means_our_package_shares_it_with_the_agent(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(PTH)
    program = (
        "import json, inspector.agent\nfrom inspector.runtime import TodoItem\nfrom "
        "inspector.wire import lib\nkept = TodoItem('x')\n"
    )
    ready = (
        "print('ready', json.dumps([inspector.agent.is_running(), lib.ai_live_handles()]), "
        "flush=True)\nkept = None\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "ARC_INSPECTOR": "1"}
    with start_command([sys.executable, "-c", program + ready], env=environment) as target:
        assert target.ready == [True, 1]
        assert target.finish() == 0
        assert target.errors() == ""


def test_the_agent_comes_into_a_program_with_modules_of_any_name_and_leaves_them_alone(
    tmp_path: Path,
) -> None:
    hide(tmp_path, ("json", "dataclasses", "tomllib"))
    (tmp_path / "app.py").write_text(
        "import inspector, json, dataclasses, sys; print('ready {}', flush=True); sys.stdin.read();"
        "print('done', inspector.mine, json.mine, sorted(n for n in sys.modules if "
        "n.startswith('inspector')))"
    )
    with start_command(
        [interpreter("3.11"), str(tmp_path / "app.py")], env={"PYTHONPATH": ""}
    ) as target:
        assert bring_agent(target.pid, Method.INJECT).found.attachable
        assert target.process.stdin is not None
        target.process.stdin.close()
        assert target.read_line() == "done inspector json ['inspector']"
        assert target.errors() == ""


BARE = """
import sys, types
sys.modules["json"] = types.SimpleNamespace()
sys.modules["dataclasses"] = None
sys.path.clear()
sys.path_importer_cache.clear()
sys._stdlib_dir = sys.argv[1]
print("ready", flush=True)
sys.stdin.read()
print("done", sorted(name for name in sys.modules if name in ("dataclasses", "json", "typing")))
"""
"""As a packed program is, given the folder of its extension modules: no Python file of the library
is there, and some is replaced."""


@pytest.mark.parametrize("minor", ["3.11", "3.12"])
def test_the_agent_comes_into_a_program_without_a_standard_library(
    minor: str, tmp_path: Path
) -> None:
    library = library_for((int(minor[0]), int(minor[2:])))
    if library is None:
        pytest.skip(f"no standard library of CPython {minor} lies where the inspector looks for it")
    # files that packers take along beside the program
    (tmp_path / "lib-dynload").symlink_to(library / "lib-dynload")
    with start_command([interpreter(minor), "-I", "-S", "-c", BARE, str(tmp_path)]) as target:
        assert bring_agent(target.pid, Method.INJECT).found.attachable
        assert target.process.stdin is not None
        target.process.stdin.close()
        assert target.read_line() == "done ['dataclasses', 'json']"
        assert target.errors() == ""


def test_a_module_that_a_packed_program_lacks_is_named_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(
        each for each in ("3.12", "3.11") if each != f"{sys.version_info[0]}.{sys.version_info[1]}"
    )
    with start_command([interpreter(other), "-I", "-S", "-c", BARE, str(tmp_path)]) as target:
        monkeypatch.setattr(agent_files, "library_for", lambda minor: None)
        monkeypatch.setattr(injector, "library_for", lambda minor: None)
        outcome = injector.carry_out(injector.Order(target.pid, Method.INJECT.value))
        assert not outcome.ok
        assert "the program has no module" in outcome.error
        assert (
            f"put python{other} on PATH, or look from outside: arc-inspector attach "
            f"{target.pid} --read-only"
        ) in outcome.error
        assert target.finish() == 0


@pytest.mark.parametrize("mode", [0o757, 0o755])
def test_a_standard_library_that_others_can_write_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    library = tmp_path / "other" / "lib" / "python3.9"
    library.mkdir(parents=True)
    (library / "os.py").write_text("")
    library.chmod(mode)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "own"))
    monkeypatch.setenv("PATH", "")
    assert library_for((3, 9)) == (library if mode == 0o755 else None)


def test_a_command_may_be_a_script_with_its_own_interpreter_or_a_native_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "tool"
    script.write_text(
        f"#!/usr/bin/env -S {sys.executable} -B\nimport sys\nprint('tool', "
        "sys.argv, sys.dont_write_bytecode)\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    done = run_here("run", "--headless", "./tool", "x")
    assert (done.status, done.out) == (0, "tool ['./tool', 'x'] True\n"), done
    done = run_here(
        "run",
        "--headless",
        "env",
        "WORD=seen",
        sys.executable,
        "-c",
        "import os; print(os.environ['WORD'])",
    )
    assert (done.status, done.out) == (0, "seen\n"), done
    native = run_here("run", "--headless", "/bin/true")
    assert (native.status, native.out) == (0, ""), native
    assert "no process of it used a library of UniFFI's" in native.err
    nosuch = run_here("check", "--", "/nowhere/tool")
    nosuch.assert_one_line_error(2, "no such command: /nowhere/tool")


def test_nothing_of_the_program_is_written_or_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hide(tmp_path))
    before = sorted(tmp_path.iterdir())
    assert run_here("run", "--headless", sys.executable, "-B", "app.py").status == 0
    assert sorted(tmp_path.iterdir()) == before
