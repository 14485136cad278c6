"""Bytecode of sources is made once, and again when the text is another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.bytecode import compile_sources


def test_a_source_is_compiled_once_and_again_when_its_text_changes(tmp_path: Path) -> None:
    source = tmp_path / "answer.py"
    source.write_text("VALUE = 1\n")
    time = source.stat()
    assert compile_sources([source]) == [source]
    assert compile_sources([source]) == []
    source.write_text("VALUE = 2\n")
    os.utime(source, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert _value(tmp_path) == "2", "old bytecode was used"
    assert compile_sources([source]) == [source]
    assert _value(tmp_path) == "2"


def _value(folder: Path) -> str:
    words = [sys.executable, "-Bc", "import answer; print(answer.VALUE)"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
