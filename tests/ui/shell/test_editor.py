from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QProcess, QSettings

from inspector.ui.shell.editor import (
    EDITOR_KEY,
    EDITOR_VARIABLE,
    editor_arguments,
    editor_command,
    open_line,
)


def test_the_environment_wins_over_the_setting(settings: QSettings) -> None:
    settings.setValue(EDITOR_KEY, "mine {file}")
    assert editor_command(settings, {}) == "mine {file}"
    assert editor_command(settings, {EDITOR_VARIABLE: "other {file}"}) == "other {file}"


def test_file_and_line_go_where_the_command_wants_them() -> None:
    assert editor_arguments("code -g {file}:{line}", "/a b.py", 41) == ["code", "-g", "/a b.py:41"]
    assert editor_arguments("vi", "/a.py", 0) == ["vi", "/a.py"]


def test_a_line_is_opened_without_waiting_for_the_editor(
    settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, list[str]]] = []

    def start(program: str, arguments: list[str]) -> bool:
        started.append((program, arguments))
        return True

    monkeypatch.setattr(QProcess, "startDetached", staticmethod(start))
    monkeypatch.setenv(EDITOR_VARIABLE, "code -g {file}:{line}")
    assert open_line(settings, __file__, 3) == ""
    assert started == [("code", ["-g", f"{__file__}:3"])]


def test_what_cannot_be_opened_is_said_in_a_sentence(
    settings: QSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "is not on this machine" in open_line(settings, str(tmp_path / "gone.py"), 1)
    monkeypatch.setenv(EDITOR_VARIABLE, '"')
    assert "makes no sense" in open_line(settings, __file__, 1)
    monkeypatch.setenv(EDITOR_VARIABLE, str(tmp_path / "no-such-editor"))
    assert "could not be started" in open_line(settings, __file__, 1)
    monkeypatch.setenv(EDITOR_VARIABLE, "")
    monkeypatch.setenv("PATH", "")
    assert "No editor is set" in open_line(settings, __file__, 1)
