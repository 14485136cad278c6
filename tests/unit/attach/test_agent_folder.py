"""The agent's files on their way into a target."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from inspector.attach import agent_folder as staging
from inspector.attach.agent_files import SCRIPT, AgentFiles, backend_for, make_agent_files
from inspector.attach.agent_folder import PREFIX, agent_folder_in
from inspector.errors import AttachError

OWN = os.getpid()
SMALL = AgentFiles({"a": b"one", "b": b"two"})


def test_a_stage_is_for_its_user_alone_and_gone_afterwards():
    with agent_folder_in(OWN, SMALL) as made:
        folder = Path(made.inside)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {each.name: each.read_bytes() for each in folder.iterdir()} == SMALL.files
        assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in folder.iterdir())
        (folder / "result.json").write_text("x")
        assert made.read("result.json") == b"x"
        assert made.read("nothing") is None
    assert not folder.exists()


def test_two_folders_have_names_that_cannot_be_guessed():
    with agent_folder_in(OWN, SMALL) as first, agent_folder_in(OWN, SMALL) as second:
        assert first.name != second.name
        assert len(first.name) == len(PREFIX) + 16


def test_what_the_target_wrote_is_not_followed_through_a_link():
    with agent_folder_in(OWN, SMALL) as made:
        (Path(made.inside) / "result.json").symlink_to("/etc/passwd")
        assert made.read("result.json") is None


def test_a_place_that_is_a_link_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    monkeypatch.setattr(staging, "PLACES", (str(link).lstrip("/"),))
    with (
        pytest.raises(AttachError, match="there is no room for the agent's files"),
        agent_folder_in(OWN, SMALL),
    ):
        pass
    assert list(elsewhere.iterdir()) == []


def test_without_any_room_each_place_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gone = str(tmp_path / "gone").lstrip("/")
    monkeypatch.setattr(staging, "PLACES", (gone,))
    with (
        pytest.raises(AttachError, match=f"/{gone} No such file or directory"),
        agent_folder_in(OWN, SMALL),
    ):
        pass


def test_a_process_that_is_gone_has_no_stage():
    with pytest.raises(AttachError, match="does not exist"), agent_folder_in(4_199_015, SMALL):
        pass


def test_a_bundle_holds_the_agent_and_what_its_interpreter_needs():
    files = make_agent_files((3, 12), level="count", leaves_after_secs=0)
    assert {SCRIPT, "modules", "copies", "request", "_native.abi3.so"} <= files.files.keys()
    if backend_for((3, 12)) is not None:
        assert "_cffi_backend.cpython-312-x86_64-linux-gnu.so" in files.files
    assert files.size_bytes > 1 << 20


def left_behind(place: Path, age_secs: float) -> Path:
    """The folder left by a killed injector."""
    folder = place / f"{PREFIX}{age_secs:016.0f}"
    folder.mkdir(0o700)
    (folder / "start.py").write_text("x")
    then = time.time() - age_secs
    os.utime(folder, (then, then))
    return folder


def test_what_killed_injectors_left_is_removed_by_the_next_one_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staging, "PLACES", (str(tmp_path).lstrip("/"),))
    recent, old, of_others = (
        left_behind(tmp_path, 5),
        left_behind(tmp_path, 300),
        tmp_path / "of others",
    )
    of_others.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(of_others)
    with agent_folder_in(OWN, SMALL) as first:
        assert not old.exists()
        assert recent.exists()
        assert of_others.exists()
        os.utime(first.inside, (0, 0))
        with agent_folder_in(OWN, SMALL):
            assert Path(first.inside).exists(), "an injector that lives keeps its files"


def test_descriptors_are_given_back():
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names suffice
    for _ in range(3):
        with agent_folder_in(OWN, SMALL):
            pass
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
