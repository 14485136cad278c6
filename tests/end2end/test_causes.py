"""Each cause that ``doctor`` names, on a process that really is so.

Key, text, first fix and exit status, and that attaching says the same.

Not met here, and judged in ``tests/unit/attach/test_diagnosis.py`` by made-up facts alone: Yama's
scopes 1 to 3, which belong to the whole machine (and many kernels have no Yama), processors other
than x86-64, and an installation without a backend for the interpreter.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.discovery import find_published
from tests.helpers.barred import assert_barred, causes, finish
from tests.helpers.command_line import run_command
from tests.helpers.targets import TARGETS, Target
from tests.helpers.unprepared import detach, interpreter, own_threads, unprepared
from tests.helpers.users import (
    NOBODY,
    STRANGER,
    as_root_without,
    as_user,
    need_own_python,
    need_root,
)

RUN_FIX = "start it with: arc-inspector run …, or with ARC_INSPECTOR=1 in its environment"
CONFINED = str(TARGETS / "confined.py")
MOUNTED = (
    'for place in /dev/shm /tmp /var/tmp; do mount -t tmpfs -o "$0" tmpfs $place || exit '
    '9; done; exec "$@"'
)


@contextmanager
def of_user(uid: int, *how: str, kind: str = "idle") -> Iterator[Target]:
    """A process of another user."""
    need_root()
    os.chown(os.environ["XDG_RUNTIME_DIR"], uid, uid)  # else it publishes elsewhere than we look
    confined = (CONFINED, ",".join(how)) if how else ()
    with unprepared(
        kind, program=need_own_python(), prefix=as_user(uid), options=("-I", "-S", *confined)
    ) as target:
        yield target


@contextmanager
def confined(*how: str, kind: str = "idle", program: str | None = None) -> Iterator[Target]:
    """A process that confined itself; see ``tests/targets/confined.py``."""
    with unprepared(kind, program=program, options=("-I", "-S", CONFINED, ",".join(how))) as target:
        yield target


class TestWhoMayLook:
    def test_a_process_of_another_user_is_looked_at_as_that_user(self):
        with of_user(NOBODY) as target:
            fix = "run the inspector as that user: sudo -u nobody arc-inspector"
            assert_barred(
                target.pid, "other-user", "belongs to user nobody", fix, as_user(STRANGER)
            )
            assert causes(target.pid, 0, as_user(NOBODY)) == []
            assert (
                run_command(
                    "attach", target.pid, "--headless", "--inject", prefix=as_user(NOBODY)
                ).status
                == 0
            )
            finish(target)

    def test_a_user_without_a_name_is_given_to_sudo_by_number(self):
        with of_user(STRANGER) as target:
            fix = "run the inspector as that user: sudo -u '#65533' arc-inspector"
            assert_barred(target.pid, "other-user", "belongs to user 65533", fix, as_user(NOBODY))

    def test_a_process_of_root_is_not_for_others(self):
        need_root()
        with unprepared("idle") as target:
            fix = "run the inspector as that user: sudo -u root arc-inspector"
            assert_barred(target.pid, "other-user", "belongs to user root", fix, as_user(NOBODY))

    def test_one_that_is_not_dumpable_is_not_for_its_own_user_but_for_root(self):
        with of_user(NOBODY, "not-dumpable", kind="sleep") as target:
            text = "forbids to be looked at (it is not dumpable, or has more rights than you)"
            assert_barred(target.pid, "not-dumpable", text, RUN_FIX, as_user(NOBODY))
            assert run_command("attach", target.pid, "--headless", "--inject").status == 0
            assert run_command("handles", target.pid, "--json").json["target"]["state"] == "live"
            detach(target.pid)
            finish(target)

    def test_root_without_the_right_to_trace_is_told_so(self):
        need_root()
        with unprepared("idle") as target:
            text = (
                "may not be traced, although you are root: a container or security module "
                "forbids it"
            )
            assert_barred(target.pid, "no-permission", text, RUN_FIX, as_root_without("sys_ptrace"))


@contextmanager
def traced(pid: int, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a tracer hold a process."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as tracer:
        while procfs.status(pid)["TracerPid"] == "0" and tracer.poll() is None:
            pass
        yield tracer
        assert tracer.stdin is not None
        tracer.stdin.close()


class TestWhatHoldsIt:
    def test_a_tracer_is_named(self):
        seize = (
            "import ctypes, sys; ctypes.CDLL(None).ptrace(0x4206, {pid}, None, None); "
            "sys.stdin.read()"
        )
        with (
            unprepared("sleep") as target,
            traced(
                target.pid, sys.executable, "-I", "-S", "-c", seize.format(pid=target.pid)
            ) as tracer,
        ):
            name = procfs.status(tracer.pid)["Name"]
            text = f"is traced by {name} ({tracer.pid}) already, and a process has only one tracer"
            assert_barred(target.pid, "traced", text, "end that debugger, then attach")

    @pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
    def test_gdb_is_named_and_the_process_is_attached_when_it_has_gone(self):
        with unprepared("sleep") as target:
            with traced(target.pid, "gdb", "-nx", "-q", "-p", str(target.pid)) as gdb:
                text = f"is traced by gdb ({gdb.pid}) already, and a process has only one tracer"
                assert_barred(target.pid, "traced", text, "end that debugger, then attach")
            assert run_command("attach", target.pid, "--headless", "--inject").status == 0
            finish(target)

    def test_one_that_is_stopped_is_told_how_to_go_on(self):
        with unprepared("idle") as target:
            os.kill(target.pid, signal.SIGSTOP)
            while procfs.thread_state(target.pid, target.pid) != "T":
                pass
            fix = f"let it go on: kill -CONT {target.pid}"
            assert_barred(
                target.pid, "stopped", ("is stopped by a signal, so nothing can run in it"), fix
            )
            os.kill(target.pid, signal.SIGCONT)
            finish(target)

    def test_one_that_has_ended_is_no_process_any_more(self):
        with subprocess.Popen(["/bin/true"]) as ended:
            os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
            (cause,) = causes(ended.pid, 3)
            assert (cause["key"], cause["text"]) == (
                "ended",
                ("has ended, and only its parent has not noticed"),
            )
            assert cause["fixes"] == ["look at its last state: arc-inspector ps --all"]


class TestConfinement:
    def test_a_filter_that_forbids_nothing_we_need_asks_and_attaching_works(self):
        with confined("filter-unused", kind="sleep") as target:
            asks, note = causes(target.pid, 0)
            assert (asks["key"], asks["weight"], asks["fixes"][0]) == ("seccomp", "asks", RUN_FIX)
            assert asks["text"] == (
                "runs under a filter of system calls (seccomp): a strict filter may kill it when "
                "the agent opens its socket"
            )
            assert note["key"] == "no-new-privileges"
            assert run_command("attach", target.pid, "--headless", "--inject").status == 0
            assert run_command("gc", target.pid, "--json").status == 0
            detach(target.pid)
            finish(target)

    @pytest.mark.parametrize(
        ("how", "cause"),
        [
            (
                "filter-socket",
                (
                    "the agent could not start in the target: Operation not permitted "
                    "(os error 1): control socket"
                ),
            ),
            ("filter-clone", "cannot start a thread: error 1"),
        ],
    )
    def test_a_filter_that_forbids_what_we_need_ends_in_one_line_and_the_process_runs_on(
        self, how: str, cause: str
    ):
        with confined(how) as target:
            assert causes(target.pid, 0)[0]["key"] == "seccomp"
            run_command("attach", target.pid, "--headless", "--inject").assert_one_line_error(
                3, cause
            )
            assert own_threads(target.pid) == []
            assert find_published(target.pid) is None
            finish(target)
        assert left_in_shared_memory(target.pid) == []

    def test_no_new_privileges_are_noted_and_do_not_matter(self):
        with confined("no-new-privileges") as target:
            (note,) = causes(target.pid, 0)
            assert (note["key"], note["weight"]) == ("no-new-privileges", "note")
            assert note["text"] == (
                "can gain no new rights (no_new_privs), which does not matter here"
            )
            assert run_command("attach", target.pid, "--headless", "--inject").status == 0
            finish(target)

    @pytest.mark.parametrize("minor", ["3.11", "3.14"])
    def test_memory_that_may_not_become_executable_is_no_bar(self, minor: str):
        only_asked = ["-I", "-S", CONFINED, "no-write-execute", "/dev/null"]
        if subprocess.run(
            [interpreter(minor), *only_asked], check=False, capture_output=True
        ).returncode:
            pytest.skip(
                "this kernel cannot forbid memory to become executable: it is older than 6.3"
            )
        with confined("no-write-execute", kind="sleep", program=interpreter(minor)) as target:
            assert causes(target.pid, 0) == []
            done = run_command("attach", target.pid, "--headless", "--inject")
            assert done.status == 0, done
            assert run_command("gc", target.pid, "--json").status == 0
            detach(target.pid)
            finish(target)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [("size=1m", "has 1 MiB left"), ("noexec", "is mounted noexec"), ("ro", "is mounted ro")],
    )
    def test_no_room_in_any_place_names_each(self, options: str, reason: str):
        with in_namespaces(["--mount"], MOUNTED, options) as target:
            text = (
                f"has no place for the agent's files: "
                f"/dev/shm {reason}; /tmp {reason}; /var/tmp {reason}"  # noqa: S108 - as told
            )
            found = causes(target.pid, 3)
            assert [each["key"] for each in found] == ["no-room", "container"]
            assert (found[0]["text"], found[0]["fixes"]) == (text, ["make room there", RUN_FIX])
            run_command("attach", target.pid, "--headless", "--inject").assert_one_line_error(
                3, text, "make room there"
            )
            finish(target)

    def test_room_in_one_place_is_enough(self):
        one = f'{MOUNTED.partition("exec")[0]} umount /var/tmp; exec "$@"'
        with in_namespaces(["--mount"], one, "noexec") as target:
            (note,) = causes(target.pid, 0)
            assert note["key"] == "container"
            assert run_command("attach", target.pid, "--headless", "--inject").status == 0
            detach(target.pid)
            finish(target)

    def test_files_of_its_own_and_process_ids_of_its_own_are_told_apart(self):
        with in_namespaces(["--mount"], 'exec "$@"') as target:
            (note,) = causes(target.pid, 0)
            text = (
                "runs in a container with its own files: the agent's files go into it, for a moment"
            )
            assert (note["key"], note["weight"], note["text"]) == ("container", "note", text)
        with in_namespaces(["--pid", "--fork", "--kill-child"], 'exec "$@"') as target:
            (pid,) = map(
                int, Path(f"/proc/{target.pid}/task/{target.pid}/children").read_text().split()
            )
            (note,) = causes(pid, 0)
            assert note["text"] == (
                "runs in a container with its own process ids: the agent's "
                "files go into it, for a moment"
            )

    def test_a_container_of_an_unprivileged_user_is_attached_by_that_user_and_by_root(self):
        need_root()
        os.chown(os.environ["XDG_RUNTIME_DIR"], NOBODY, NOBODY)
        user = as_user(NOBODY)
        inside = [*user, "/usr/bin/unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*inside, "/bin/true"], check=False, capture_output=True).returncode:
            pytest.skip("users may make no namespaces here")
        for prefix in (user, []):
            with unprepared("sleep", program=need_own_python(), prefix=inside) as target:
                assert [each["key"] for each in causes(target.pid, 0, prefix)] == ["container"]
                done = run_command("attach", target.pid, "--headless", "--inject", prefix=prefix)
                assert done.status == 0, done
                finish(target)


def left_in_shared_memory(pid: int) -> list[Path]:
    """Files that a process's agent made and that are left."""
    return [
        each for each in Path(os.environ["XDG_RUNTIME_DIR"]).rglob(f"*{pid}-*") if not each.is_dir()
    ]


@contextmanager
def in_namespaces(kinds: Sequence[str], *script: str) -> Iterator[Target]:
    """A process in namespaces of its own, entered through a line of shell with its arguments."""
    need_root()
    prefix = [
        "/usr/bin/unshare",
        *kinds,
        "/bin/sh",
        "-c",
        *script,
        *(["sh"] if len(script) == 1 else []),
    ]
    if subprocess.run([*prefix, "/bin/true"], check=False, capture_output=True).returncode:
        pytest.skip(f"no namespaces are to be had here: {' '.join(kinds)}")
    with unprepared("sleep", prefix=prefix) as target:
        yield target
