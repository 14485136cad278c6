"""A look from outside, on this very process."""

from __future__ import annotations

import os
import threading

import pytest

from inspector.attach import procfs
from inspector.attach.glimpse import glimpse


def test_threads_are_named_with_what_they_wait_on():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        while procfs.system_call(os.getpid(), thread.native_id or 0) is None:
            pass
        seen = {each.tid: each.waits for each in glimpse(os.getpid()).threads}
        assert seen[thread.native_id or 0] == "waits on a lock"
    finally:
        stop.set()
        thread.join()


def test_uniffi_packages_are_named():
    pytest.importorskip("bdkpython")
    assert any("bdk" in name for name in glimpse(os.getpid()).packages)


def test_a_process_that_is_gone_shows_nothing():
    seen = glimpse(4_199_015)
    assert (seen.threads, seen.packages) == ((), ())
