"""Threads and their stacks from outside, on this very process and without the reader of stacks."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from inspector.attach import procfs
from inspector.attach.outside import threads as looking
from inspector.attach.outside.look import look
from inspector.attach.outside.memory import OutsideError
from inspector.attach.outside.threads import look_at_threads, python_stacks

PROCESS_GONE = 4_199_015


def test_threads_are_named_with_what_they_wait_on() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="a waiting one")
    thread.start()
    try:
        while procfs.system_call(os.getpid(), thread.native_id or 0) is None:
            pass
        seen = {each.tid: each for each in look(os.getpid(), with_stacks=False).threads}
        waiting = seen[thread.native_id or 0]
        assert (waiting.waits, waiting.name, waiting.stack) == (
            "waits on a lock",
            "a waiting one",
            (),
        )
    finally:
        stop.set()
        thread.join()


def test_uniffi_packages_are_named() -> None:
    pytest.importorskip("bdkpython")
    assert any(
        "bdk" in name for name in look(os.getpid(), with_objects=False, with_stacks=False).packages
    )


def test_a_process_that_is_gone_is_one_error() -> None:
    with pytest.raises(OutsideError, match=f"^process {PROCESS_GONE} does not exist$"):
        look(PROCESS_GONE)


def test_without_what_reads_stacks_the_threads_are_listed_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    seen, more, why = look_at_threads(os.getpid())
    assert seen[0].tid == os.getpid()
    assert (more, why) == (0, "Python's stacks need pystack: pip install pystack")


@pytest.mark.parametrize(
    ("program", "why", "patience_secs"),
    [
        ("import time; time.sleep(1000)", r"could not be read within 0 s$", 0.4),
        ("import os; os.abort()", r"the reading process ended early$", 60.0),
        ("print('{')", r"the reading process ended early$", 60.0),
        (
            'print(\'{"threads": [], "error": "line one\\\\nline two"}\')',
            r"could not be read: line one line two$",
            60.0,
        ),
        ("while True: print('x' * 100000)", r"the reading process ended early$|within 0 s$", 0.4),
    ],
)
def test_whatever_becomes_of_the_reader_of_stacks_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: str,
    why: str,
    patience_secs: float,
) -> None:
    reader = tmp_path / "reader.py"
    reader.write_text(program)
    run = subprocess.run

    def other(command: list[str], **options: Any) -> Any:
        return run([sys.executable, str(reader)], **options)

    monkeypatch.setattr(looking, "PATIENCE_SECS", patience_secs)
    monkeypatch.setattr(subprocess, "run", other)
    found, said = python_stacks(os.getpid())
    assert found == {}
    assert re.search(why, said), said
