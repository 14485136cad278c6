from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspector.attach import control, linux
from inspector.attach.control import ControlConnection
from inspector.errors import ControlError, TargetBusyError
from tests.helpers.control_server import ControlServer, Reply

PATH = "1-7.sock"
OWN = os.getpid()


@contextmanager
def connected(
    folder: Path, answer: Callable[[dict[str, Any]], Reply]
) -> Iterator[tuple[ControlServer, ControlConnection]]:
    """A target that answers so, and a viewer's connection to it."""
    with (
        ControlServer(folder / PATH, answer) as server,
        ControlConnection(folder / PATH, pid=OWN) as connection,
    ):
        yield server, connection


def test_an_answer_comes_back_to_its_question(tmp_path: Path):
    with connected(tmp_path, lambda asked: {"ok": True, "echo": asked["op"]}) as (
        server,
        connection,
    ):
        answers = [
            connection.ask("ping", wait_secs=5),
            connection.ask("gc", wait_secs=5, handles=[1]),
        ]
    assert [answer.fields["echo"] for answer in answers] == ["ping", "gc"]
    assert [each["nonce"] for each in server.seen] == [1, 2]
    assert server.seen[1]["handles"] == [1]


def test_the_target_is_told_to_give_up_before_we_do(tmp_path: Path):
    with (
        ControlServer(tmp_path / PATH, lambda asked: {"ok": True}) as server,
        ControlConnection(tmp_path / PATH, pid=OWN) as connection,
    ):
        connection.ask("gc", wait_secs=2)
    assert 0 < server.seen[0]["deadline_ms"] < 2000


def test_a_refusal_is_an_answer_with_its_reason(tmp_path: Path):
    with connected(
        tmp_path, lambda _: {"ok": False, "error": "no\nsuch  level", "status": "BadArgument"}
    ) as (_, connection):
        answer = connection.ask("level", wait_secs=5)
    assert (answer.ok, answer.error, answer.status) == (False, "no such level", "BadArgument")


def test_a_target_that_does_not_answer_is_busy_and_is_hung_up_on(tmp_path: Path):
    with ControlServer(tmp_path / PATH, lambda _: None) as server:
        connection = ControlConnection(tmp_path / PATH, pid=OWN)
        with pytest.raises(TargetBusyError, match="will not run later"):
            connection.ask("gc", wait_secs=0.2)
        assert server.hung_up.wait(10)
        assert not connection.is_open


def test_waiting_ends_when_it_is_given_up(tmp_path: Path):
    given_up = threading.Event()

    def answer(_: object) -> None:
        given_up.set()

    with (
        ControlServer(tmp_path / PATH, answer),
        ControlConnection(tmp_path / PATH, pid=OWN) as connection,
        pytest.raises(TargetBusyError),
    ):
        connection.ask("hello", wait_secs=600, is_given_up=given_up.is_set)


def test_answers_to_other_questions_are_passed_over(tmp_path: Path):
    stale = b'{"nonce": 99, "ok": true, "late": true}\n'
    with connected(
        tmp_path, lambda asked: stale + b'{"nonce": %d, "ok": true}\n' % asked["nonce"]
    ) as (_, connection):
        assert "late" not in connection.ask("ping", wait_secs=5).fields


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"hello there\n", "not JSON"),
        (b"[1, 2]\n", "not a message"),
        (b'{"nonce": "x", "ok": true}\n', "not an answer"),
        (b'{"nonce": 1}\n', "not an answer"),
        (b"\xff\xfe\x00\n", "not JSON"),
        (b"[" * 200_000 + b"\n", "not JSON"),
    ],
)
def test_what_is_no_answer_is_one_clear_line(tmp_path: Path, said: bytes, reason: str):
    with (
        connected(tmp_path, lambda _: said) as (_, connection),
        pytest.raises(ControlError, match=reason) as caught,
    ):
        connection.ask("ping", wait_secs=5)
    assert "\n" not in str(caught.value)


def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_read(tmp_path: Path):
    chunk = b"x" * (100 << 20)
    with (
        connected(tmp_path, lambda _: chunk) as (_, connection),
        pytest.raises(ControlError, match="more than 1024 KiB"),
    ):
        connection.ask("ping", wait_secs=30)


def test_half_a_line_and_a_hang_up_is_one_clear_line(tmp_path: Path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / PATH))
    listener.listen()

    def serve() -> None:
        peer, _ = listener.accept()
        peer.recv(4096)
        peer.sendall(b'{"nonce": 1, "ok"')
        peer.close()

    server = threading.Thread(target=serve)
    server.start()
    with (
        ControlConnection(tmp_path / PATH, pid=OWN) as connection,
        pytest.raises(ControlError, match="hung up before it answered"),
    ):
        connection.ask("ping", wait_secs=30)
    server.join()
    listener.close()


@pytest.mark.parametrize(
    ("uid", "own", "is_taken"),
    [(54_321, 54_322, False), (54_321, 54_321, True), (0, 54_321, True), (54_321, 0, True)],
)
def test_only_a_socket_of_this_user_or_root_is_taken_unless_this_is_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, own: int, is_taken: bool
):
    monkeypatch.setattr(control, "peer_of", lambda _: linux.Peer(OWN, uid))
    monkeypatch.setattr(control.os, "geteuid", lambda: own)
    with ControlServer(tmp_path / PATH, lambda _: {"ok": True}):
        if is_taken:
            ControlConnection(tmp_path / PATH, pid=OWN).close()
        else:
            with pytest.raises(ControlError, match=f"belongs to user {uid}, not to this user"):
                ControlConnection(tmp_path / PATH, pid=OWN)


def test_a_socket_that_another_process_listens_on_is_refused(tmp_path: Path):
    with (
        ControlServer(tmp_path / PATH, lambda _: None),
        pytest.raises(
            ControlError, match=(f"process {OWN} listens on the control socket of process 1")
        ),
    ):
        ControlConnection(tmp_path / PATH, pid=1)


def test_a_socket_that_is_not_there_is_one_clear_line(tmp_path: Path):
    with pytest.raises(ControlError, match="cannot be reached: No such file"):
        ControlConnection(tmp_path / PATH, pid=OWN)


def test_a_file_that_is_no_socket_is_one_clear_line(tmp_path: Path):
    (tmp_path / PATH).write_text("x")
    with pytest.raises(ControlError, match="cannot be reached: Connection refused"):
        ControlConnection(tmp_path / PATH, pid=OWN)


def test_a_connection_sees_that_the_target_hung_up(tmp_path: Path):
    with (
        ControlServer(tmp_path / PATH, lambda _: {"ok": True}) as server,
        ControlConnection(tmp_path / PATH, pid=OWN) as connection,
    ):
        connection.ask("ping", wait_secs=5)
        assert connection.is_open
        server.stop()
        assert not connection.is_open
