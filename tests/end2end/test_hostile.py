"""Damaged segments, hostile sockets and half-way ends: one clear line each, no crash."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from inspector.attach.procfs import process_stat
from inspector.commands.app import run
from inspector.session import questions
from inspector.wire.schema import LAYOUT_VERSION
from tests.helpers.command_line import Finished, run_command
from tests.helpers.segments import SegmentImage, lock_held, write_segment
from tests.helpers.targets import start_target

NO_ANSWER_YET = 4
"""Exit status."""
IMAGE = SegmentImage(
    types=[{"name": b"Journal"}], handles=[{"address": 64}] * 20, sites=[[("f", "a.py", 1)]]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where segments of these tests lie."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = tmp_path / f"arc-inspector-{os.geteuid()}"
    made.mkdir(mode=0o700)
    return made


def own_name() -> str:
    """The name of this process's segment."""
    stat = process_stat(os.getpid())
    assert stat is not None
    return f"{os.getpid()}-{stat.start_time}.seg"


def random_bytes(path: Path) -> None:
    path.write_bytes(np.random.default_rng(7).bytes(200_000))


def good_start_then_random(path: Path) -> None:
    whole = IMAGE.to_bytes()
    path.write_bytes(whole[:136] + np.random.default_rng(7).bytes(len(whole) - 136))


def truncated(path: Path) -> None:
    path.write_bytes(IMAGE.to_bytes()[:6000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_version(path: Path) -> None:
    write_segment(path, SegmentImage(header={"layout_version": 77}))


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage", [random_bytes, good_start_then_random, truncated, empty, other_version, link, pipe]
)
def test_a_damaged_segment_is_one_clear_line(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / own_name())
    run_command("handles", os.getpid()).assert_one_line_error(3, str(os.getpid()))
    listed = run_command("ps", "--json")
    assert listed.err == ""
    (row,) = [each for each in listed.json["processes"] if each["pid"] == os.getpid()]
    assert not row["attachable"]
    assert row["reason"]


def test_another_version_names_both_numbers(folder: Path) -> None:
    other_version(folder / own_name())
    run_command("handles", os.getpid()).assert_one_line_error(
        3, "version 77", f"version {LAYOUT_VERSION}"
    )


@pytest.mark.parametrize("damage", [random_bytes, truncated, empty])
def test_opening_a_damaged_file_is_one_clear_line(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    path = folder / own_name()
    damage(path)
    done = run_command("open", path)
    assert done.status in (1, 3)
    assert len(done.err.splitlines()) == 1
    assert str(path) in done.err


@contextmanager
def listening(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Serve each connection so; the viewer may do anything to the connection."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    stopping = threading.Event()

    def accept() -> None:
        while not stopping.is_set():
            connection, _ = listener.accept()
            with connection:
                try:
                    serve(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(str(path))
        thread.join()
        listener.close()


def garbage(peer: socket.socket) -> None:
    peer.recv(4096)
    peer.sendall(b"\x00\xff garbage \r\n" * 50)
    peer.recv(1)


def half_a_line(peer: socket.socket) -> None:
    peer.recv(4096)
    peer.sendall(b'{"nonce": 1, "ok": tr')


def a_hundred_megabytes(peer: socket.socket) -> None:
    peer.recv(4096)
    for _ in range(100):
        peer.sendall(b"x" * (1 << 20))


def a_wrong_answer(peer: socket.socket) -> None:
    while received := peer.recv(4096):
        nonce = json.loads(received.splitlines()[0])["nonce"]
        peer.sendall(
            json.dumps(
                {"nonce": nonce, "ok": True, "level": {"no": "number"}, "collected": "many"}
            ).encode()
            + b"\n"
        )


def never(peer: socket.socket) -> None:
    while peer.recv(4096):
        continue


def hangs_up(peer: socket.socket) -> None:
    peer.recv(1)


@pytest.mark.parametrize(
    ("serve", "status"),
    [
        (garbage, 1),
        (half_a_line, 1),
        (a_hundred_megabytes, 1),
        (hangs_up, 1),
    ],
)
def test_a_hostile_socket_costs_the_actions_and_not_the_view(
    folder: Path, serve: Callable[[socket.socket], None], status: int
) -> None:
    path = write_segment(folder / own_name(), IMAGE)
    with lock_held(path), listening(path.with_suffix(".sock"), serve):
        printed = run_command("handles", os.getpid(), "--json")
        assert (printed.status, printed.err) == (0, "")
        assert len(printed.json["handles"]) == 20
        run_command("gc", os.getpid()).assert_one_line_error(status)


@pytest.mark.parametrize("serve", [never, a_wrong_answer])
def test_a_socket_that_gives_no_answer_costs_the_actions_and_not_the_view(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve: Callable[[socket.socket], None],
) -> None:
    monkeypatch.setattr(questions, "COMMAND_SECS", 0.3)
    path = write_segment(folder / own_name(), IMAGE)
    with lock_held(path), listening(path.with_suffix(".sock"), serve):
        assert run(["handles", str(os.getpid()), "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["handles"]) == 20
        status = run(["gc", str(os.getpid())])
        Finished(status, *capsys.readouterr()).assert_one_line_error(NO_ANSWER_YET)


def test_a_socket_of_another_process_is_refused(folder: Path) -> None:
    path = write_segment(folder / "1-7.seg", SegmentImage(header={"pid": 1}))
    with lock_held(path), listening(path.with_suffix(".sock"), never):
        run_command("gc", 1).assert_one_line_error(
            1, (f"process {os.getpid()} listens on the control socket of process 1")
        )


def test_a_process_that_dies_while_it_is_asked_is_one_clear_line(folder: Path) -> None:
    with start_target("todo") as target:
        socket_of = Path(target.ready["segment"]).with_suffix(".sock")
        socket_of.unlink()

        def kill(peer: socket.socket) -> None:
            target.kill()

        with listening(socket_of, kill):
            run_command("gc", target.pid).assert_one_line_error(1)


def test_names_of_a_target_cannot_drive_the_terminal(folder: Path) -> None:
    image = SegmentImage(
        header={"program": b"python \x1b]0;owned\x07\x1b[31mapp.py\nline"},
        types=[{"name": b"[bold]J\x1b[2J"}],
        handles=[{"address": 64}],
    )
    path = write_segment(folder / own_name(), image)
    with lock_held(path):
        shown = run_command("handles", os.getpid())
        assert "\x1b" not in shown.out
        assert "[bold]J" in shown.out
        assert "\x1b" not in run_command("ps").out
