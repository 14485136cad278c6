"""The commands of ``docs/remote.md`` through a real server of ssh on this machine.

Only by ``./dev fleet``: it fetches the server. As root the server runs in a mount namespace of its
own, with the user and the folder that it wants; this machine stays as it is.
"""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fleet.programs import running, waited
from tests.helpers.command_line import command_environment, command_line, run_command
from tests.helpers.targets import Target, start_target
from tests.helpers.terminals import in_terminal

CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
SetEnv PATH={tools}:/usr/bin:/bin
"""
CLIENT = """
Host host
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile {folder}/known
  LogLevel ERROR
"""
AS_ROOT = """
mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd &&
shift && exec "$@"
"""
PRIVSEP_USER = "sshd:x:74:65534::/run/sshd:/usr/sbin/nologin"


@dataclass(frozen=True)
class Remote:
    """A client whose host ``host`` is this machine."""

    folder: Path

    @property
    def options(self) -> list[str]:
        """Options of ``ssh`` and ``scp``."""
        return ["-F", str(self.folder / "client")]

    def ask(self, command: str) -> str:
        """The output of a command there."""
        done = subprocess.run(
            ["/usr/bin/ssh", *self.options, "host", command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout


@pytest.fixture
def remote(installed: Path, tmp_path: Path, free_port: int) -> Iterator[Remote]:
    """A server that lets this user in by a key of its own."""
    for name in ("host", "key"):
        subprocess.run(
            ["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name],
            check=True,
        )
    parts = {"port": free_port, "folder": tmp_path, "user": getpass.getuser()}
    tools = Path(sys.executable).parent
    (tmp_path / "server").write_text(CONFIG.format(tools=tools, **parts))
    (tmp_path / "client").write_text(CLIENT.format(**parts))
    home = installed / "ssh" / "usr"
    command = [str(home / "sbin" / "sshd"), "-D", "-e", "-f", str(tmp_path / "server")]
    if os.geteuid() == 0:
        users = Path("/etc/passwd").read_text().splitlines()
        kept = [each for each in users if not each.startswith("sshd:")]
        (tmp_path / "passwd").write_text("\n".join([*kept, PRIVSEP_USER, ""]))
        command = ["unshare", "--mount", "sh", "-c", AS_ROOT, "sh", str(tmp_path), *command]
    libraries = next(home.glob("lib/*/libwrap.so.0")).parent
    log = tmp_path / "sshd.log"
    with running(command, log, env={**os.environ, "LD_LIBRARY_PATH": str(libraries)}):
        waited(lambda: "Server listening" in log.read_text())
        yield Remote(tmp_path)


@pytest.fixture
def target() -> Iterator[Target]:
    """A program with seven items, in the place where programs have their segments."""
    with start_target("todo", "stacks") as target:
        target.ask("many 7")
        yield target


def rows_of(answer: Any) -> list[dict[str, Any]]:
    """The rows of ``handles --json`` without their age."""
    return [
        {name: value for name, value in row.items() if name != "age_secs"}
        for row in answer["handles"]
    ]


def test_handles_come_as_they_are_there(remote: Remote, target: Target) -> None:
    told = json.loads(remote.ask(f"arc-inspector handles {target.pid} --json"))
    assert len(told["handles"]) == 7
    assert rows_of(told) == rows_of(run_command("handles", target.pid, "--json").json)


def test_top_is_shown_in_the_terminal_here(remote: Remote, target: Target) -> None:
    words = ["ssh", *remote.options, "-t", "host", f"arc-inspector top {target.pid}"]
    with in_terminal(words, dict(os.environ)) as terminal:
        terminal.expect(b"TodoItem")
        terminal.expect(f"({target.pid})".encode())
        assert terminal.status_after("q") == 0


def test_a_page_and_a_session_travel(remote: Remote, target: Target, tmp_path: Path) -> None:
    page = remote.ask(f"arc-inspector export {target.pid} --format html")
    assert page.startswith("<!doctype html>")
    assert "TodoItem" in page
    there = tmp_path / "there.arcs"
    remote.ask(f"arc-inspector record {target.pid} -o {there} --for 2s")
    here = tmp_path / "here.arcs"
    subprocess.run(["/usr/bin/scp", "-q", *remote.options, f"host:{there}", here], check=True)
    assert len(run_command("handles", here, "--json").json["handles"]) == 7


def test_the_last_minutes_are_written_there_after_the_line_is_cut(
    remote: Remote, target: Target, tmp_path: Path
) -> None:
    there, log = tmp_path / "ring.arcs", tmp_path / "ring.log"
    command = f"nohup arc-inspector record {target.pid} -o {there} --ring 10min"
    pid = int(remote.ask(f"{command} > {log} 2>&1 < /dev/null & echo $!"))
    waited(lambda: catches_usr1(pid))
    remote.ask(f"kill -USR1 {pid}")
    waited(there.exists)
    remote.ask(f"kill {pid}")
    assert len(run_command("handles", there, "--json").json["handles"]) == 7


def catches_usr1(pid: int) -> bool:
    """Whether a process has a handler for the signal that asks for a file."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (caught,) = [int(each.split()[1], 16) for each in status if each.startswith("SigCgt:")]
    return bool(caught >> 9 & 1)


def test_metrics_come_through_a_forwarded_port(
    remote: Remote, target: Target, tmp_path: Path, free_port_here: int
) -> None:
    exporter, log = command_line("metrics", "--listen", "127.0.0.1:0"), tmp_path / "exporter.log"
    with running(exporter, log, env=command_environment()):
        port = urlsplit(waited(log.read_text).split()[2]).port
        forward = ["-N", "-L", f"{free_port_here}:127.0.0.1:{port}", "host"]
        with running(["ssh", *remote.options, *forward], tmp_path / "forward.log"):
            url = f"http://127.0.0.1:{free_port_here}/metrics"
            text = waited(lambda: urllib.request.urlopen(url).read().decode())
    assert "arc_handles_live" in text
    assert 'program="todo.py"' in text
