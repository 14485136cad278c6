"""Each cause of ``doctor`` that lies in the interpreter or the program, on a real process."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.interpreter import find_interpreter
from tests.helpers.barred import assert_barred, causes, finish
from tests.helpers.command_line import run_command
from tests.helpers.unprepared import interpreter, musl, pypy, unprepared


class TestInterpreters:
    @pytest.mark.parametrize("minor", ["3.8", "3.9", "3.10"])
    def test_an_older_python_is_named_with_what_is_supported(self, minor: str):
        with unprepared("idle", program=interpreter(minor)) as target:
            text = f"runs CPython {minor}; 3.11 to 3.14 are supported"
            assert_barred(target.pid, "version", text, "run the program with a newer Python")
            finish(target)

    def test_a_newer_python_wants_a_newer_inspector(self):
        with unprepared("idle", program=interpreter("3.15")) as target:
            assert_barred(
                target.pid,
                "version",
                ("runs CPython 3.15; 3.11 to 3.14 are supported"),
                "use a newer arc-inspector",
            )
            finish(target)

    def test_pypy_is_told_to_be_another_python(self):
        with unprepared("idle", program=pypy()) as target:
            text = "runs PyPy; the agent needs CPython"
            assert_barred(target.pid, "no-python", text, "run the program with CPython")
            finish(target)

    def test_a_program_without_python_is_sent_to_the_guide(self):
        with subprocess.Popen(["/bin/sleep", "100"]) as sleeper:
            try:
                text = "runs no Python that can be found"
                assert_barred(
                    sleeper.pid, "no-python", text, ("link the native runtime: see the guide")
                )
            finally:
                sleeper.kill()

    def test_a_program_with_another_c_library_is_told_so(self, tmp_path: Path):
        library, compiler, program = musl(), shutil.which("gcc"), tmp_path / "waits"
        if compiler is None:
            pytest.skip("gcc is not installed")
        source = tmp_path / "waits.c"
        source.write_text("int pause(void);\nvoid _start(void) { for (;;) pause(); }\n")
        link = ["-nostdlib", "-nostartfiles", f"-Wl,-dynamic-linker,{library}", source, library]
        subprocess.run([compiler, "-o", program, *link], check=True)
        with subprocess.Popen([program]) as waiting:
            try:
                while not any("musl" in each.path for each in procfs.mappings(waiting.pid) or ()):
                    pass
                text = "uses the C library musl; the agent is built for glibc"
                assert_barred(waiting.pid, "musl", text, "run the program on a system with glibc")
            finally:
                waiting.kill()

    def test_a_python_that_says_that_it_is_free_threaded_is_told_so(self):
        """No package of such a build can be had: this is a usual build with a changed table."""
        with unprepared("idle", program=interpreter("3.14")) as target:
            found = find_interpreter(target.pid)
            assert found is not None
            assert not found.free_threaded
            with Path(f"/proc/{target.pid}/mem").open("r+b", buffering=0) as memory:
                memory.seek(found.runtime + 16)
                memory.write((1).to_bytes(8, "little"))
            text = "runs a free-threaded CPython, for which the agent is not built"
            assert_barred(target.pid, "free-threaded", text, "run the program with the usual build")
            finish(target)

    def test_a_program_of_32_bits_is_told_so(self, tmp_path: Path):
        program = tmp_path / "waits"
        program.write_bytes(program_of_32_bits())
        program.chmod(0o700)
        try:
            waiting = subprocess.Popen([program])
        except OSError as error:
            pytest.skip(f"this kernel runs no programs of 32 bits: {error}")
        with waiting:
            try:
                found = causes(waiting.pid, 3)[0]
                assert (found["key"], found["text"]) == (
                    "architecture",
                    ("is a program for i386, not for x86-64"),
                )
                assert found["fixes"] == [
                    ("run it with a Python for x86-64: the tool is built for that one alone")
                ]
            finally:
                waiting.kill()

    def test_the_interpreters_own_way_switched_off_leaves_the_borrowed_thread(self):
        options = {"environment": ("-S",), "option": ("-I", "-S", "-X", "disable-remote-debug")}
        for means, words in options.items():
            prefix = (
                ["/usr/bin/env", "PYTHON_DISABLE_REMOTE_DEBUG=1"] if means == "environment" else []
            )
            with unprepared(
                "sleep", program=interpreter("3.14"), options=words, prefix=prefix
            ) as target:
                (note,) = causes(target.pid, 0)
                assert (note["key"], note["weight"]) == ("remote-off", "note")
                text = (
                    "was started with PYTHON_DISABLE_REMOTE_DEBUG or -X disable-remote-debug: "
                    "CPython's own way in is closed"
                )
                assert note["text"] == text
                assert note["fixes"][1] == f"arc-inspector attach {target.pid} --inject"
                asked = run_command("attach", target.pid, "--headless")
                asked.assert_one_line_error(
                    3, "needs your consent", (f"arc-inspector attach {target.pid} --inject")
                )
                assert run_command("attach", target.pid, "--headless", "--inject").status == 0
                finish(target)

    def test_a_variable_that_the_interpreter_was_told_to_ignore_switches_nothing_off(self):
        prefix = ["/usr/bin/env", "PYTHON_DISABLE_REMOTE_DEBUG=1"]
        with unprepared("sleep", program=interpreter("3.14"), prefix=prefix) as target:
            assert causes(target.pid, 0) == []
            assert run_command("attach", target.pid, "--headless").status == 0
            finish(target)


def program_of_32_bits() -> bytes:
    """The smallest program for i386 that waits for ever: ``pause`` in a loop."""
    code = bytes.fromhex("b81d000000cd80ebf7")
    base, header, segment = 0x8048000, 52, 32
    size = header + segment + len(code)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    head = struct.pack(
        "<HHIIIIIHHHHHH",
        2,
        3,
        1,
        base + header + segment,
        header,
        0,
        0,
        header,
        segment,
        1,
        0,
        0,
        0,
    )
    load = struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 0x1000)
    return ident + head + load + code
