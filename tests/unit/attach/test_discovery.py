from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.attach import linux, procfs
from inspector.attach.discovery import (
    FoundProcess,
    find_processes,
    find_published,
    find_target,
    socket_path,
)
from inspector.errors import AttachError
from inspector.wire.schema import LAYOUT_VERSION
from tests.helpers.segments import SegmentImage, lock_held, write_segment

NOBODY = 2**22 + 4711
"""Above the largest pid that Linux gives."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where segments of these tests lie."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = tmp_path / f"arc-inspector-{os.geteuid()}"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A Python process without an agent."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process


def segment_of(folder: Path, pid: int, **header: object) -> Path:
    return write_segment(
        folder / f"{pid}-7.seg", SegmentImage(header={"pid": pid, **header}, handles=[{}, {}])
    )


def found(pid: int) -> FoundProcess:
    (only,) = [each for each in find_processes() if each.pid == pid]
    return only


def test_a_living_process_with_a_segment_is_attachable(folder: Path):
    path = segment_of(folder, NOBODY)
    with lock_held(path):
        process = found(NOBODY)
    assert (process.attachable, process.alive, process.reason) == (True, True, "")
    assert (process.name, process.command, process.runtime) == (
        "app.py",
        "python /srv/app.py --serve",
        "CPython 3.11.7",
    )
    assert (process.live_handles, process.segment) == (2, path)


def test_what_can_be_attached_comes_first_and_what_is_dead_last(
    folder: Path, sleeper: subprocess.Popen[bytes]
):
    segment_of(folder, NOBODY - 1)
    with lock_held(segment_of(folder, NOBODY)):
        order = [
            each.pid for each in find_processes() if each.pid in (NOBODY, NOBODY - 1, sleeper.pid)
        ]
    assert order == [NOBODY, sleeper.pid, NOBODY - 1]


def test_of_those_that_are_alike_the_newest_comes_first(folder: Path):
    pids = [NOBODY - 3, NOBODY, NOBODY - 1, NOBODY - 2]
    for pid, second in zip(pids, (2, 4, 1, 3), strict=True):
        segment_of(folder, pid, anchor_unix_nanos=second * 10**9)
    assert [each.pid for each in find_processes() if each.pid in pids] == [
        NOBODY,
        NOBODY - 2,
        NOBODY - 3,
        NOBODY - 1,
    ]


def test_what_a_killed_process_left_is_listed_as_post_mortem(folder: Path):
    segment_of(folder, NOBODY)
    process = found(NOBODY)
    assert (process.attachable, process.alive) == (True, False)
    assert process.reason.startswith("post-mortem")


def test_another_version_is_listed_with_both_numbers_and_what_helps(folder: Path):
    segment_of(folder, NOBODY, layout_version=9)
    process = found(NOBODY)
    assert not process.attachable
    assert "version 9" in process.reason
    assert f"version {LAYOUT_VERSION}" in process.reason
    assert process.fix == "install the same version of arc-inspector on both sides"
    with pytest.raises(AttachError, match="version 9"):
        find_target(NOBODY)


def test_a_damaged_segment_is_listed_as_not_attachable(folder: Path):
    (folder / f"{NOBODY}-7.seg").write_bytes(b"x" * 10_000)
    process = found(NOBODY)
    assert (process.attachable, process.name) == (False, f"process {NOBODY}")
    assert "does not begin as a segment does" in process.reason


@pytest.mark.parametrize("name", ["notes.txt", "7.seg", "a-b.seg", "-1-7.seg", f"{'9' * 30}-7.seg"])
def test_other_files_in_the_folder_are_passed_over(folder: Path, name: str):
    (folder / name).write_text("x")
    assert folder not in {each.segment.parent for each in find_processes() if each.segment}


def test_a_folder_that_is_a_symbolic_link_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    segment_of(elsewhere, NOBODY)
    (tmp_path / f"arc-inspector-{os.geteuid()}").symlink_to(elsewhere)
    assert NOBODY not in {each.pid for each in find_processes()}


def test_a_python_process_without_an_agent_is_listed_with_what_helps(
    folder: Path, sleeper: subprocess.Popen[bytes]
):
    process = found(sleeper.pid)
    assert (process.attachable, process.reason) == (False, "runs no agent")
    assert "arc-inspector run" in process.fix
    assert process.started_at > 0


def test_attaching_without_an_agent_names_the_process_and_the_fix(
    folder: Path, sleeper: subprocess.Popen[bytes]
):
    with pytest.raises(
        AttachError,
        match=rf"process {sleeper.pid} \(python -c\) runs no agent; start it with: ",
    ):
        find_target(sleeper.pid)


@pytest.mark.parametrize("pid", [NOBODY, 0, -1, 2**64])
def test_a_process_that_does_not_exist_is_one_clear_line(folder: Path, pid: int):
    with pytest.raises(AttachError, match="does not exist"):
        find_target(pid)


def test_this_very_process_is_not_offered(folder: Path):
    assert os.getpid() not in {each.pid for each in find_processes()}


def test_of_two_segments_of_one_pid_the_living_one_is_taken(folder: Path):
    segment_of(folder, NOBODY)
    living = write_segment(
        folder / f"{NOBODY}-8.seg", SegmentImage(header={"pid": NOBODY, "start_time": 8})
    )
    with lock_held(living):
        assert find_target(NOBODY).segment == living


def test_waiting_for_a_process_sees_only_a_living_one(folder: Path):
    path = segment_of(folder, NOBODY)
    assert find_published(NOBODY) is None
    with lock_held(path):
        published = find_published(NOBODY)
    assert published is not None
    assert published.segment == path


def test_the_control_socket_lies_beside_the_segment():
    assert socket_path(Path("/run/arc-inspector-0/4711-7.seg")) == Path(
        "/run/arc-inspector-0/4711-7.sock"
    )


def test_elsewhere_the_tool_says_what_works(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(linux.sys, "platform", "darwin")
    assert list(find_processes()) == []
    with pytest.raises(AttachError, match="cannot be attached on darwin, only on Linux"):
        find_target(1)


def test_a_process_is_known_by_pid_and_start_time():
    stat = procfs.process_stat(os.getpid())
    assert stat is not None
    assert stat.state == "R"
    assert stat.start_time > 0
    assert procfs.process_stat(NOBODY) is None


def test_a_process_of_another_user_says_whose_it_is_and_what_helps(
    folder: Path, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
):
    owner = found(sleeper.pid).user
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    process = found(sleeper.pid)
    assert (process.attachable, process.reason) == (False, f"belongs to user {owner}")
    assert process.fix == f"run the inspector as that user: sudo -u {owner} arc-inspector"
    with pytest.raises(
        AttachError, match=(f"belongs to user {owner}; run the inspector as that user")
    ):
        find_target(sleeper.pid)


def test_only_the_own_folder_is_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch):
    segment_of(folder, NOBODY)
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    assert folder not in linux.segment_directories()


def test_other_folders_of_the_tool_hold_no_segments_also_for_root(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    other = folder.parent / f"{linux.DIRECTORY_PREFIX}demo-x"
    other.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folder in linux.segment_directories()
    assert other not in linux.segment_directories()
