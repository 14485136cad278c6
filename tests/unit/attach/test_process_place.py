from __future__ import annotations

import os
from pathlib import Path

from inspector.attach.process_place import family, packages_in, place_of


def test_our_own_process_has_a_folder_and_a_parent() -> None:
    place = place_of(os.getpid())
    assert place.folder == str(Path.cwd())
    assert place.parent_pid == os.getppid()
    assert "numpy" in place.packages


def test_a_process_that_does_not_exist_has_no_place() -> None:
    place = place_of(2**22 + 1)
    assert (place.folder, place.parent_pid, place.packages) == ("", 0, ())


def test_packages_are_named_by_their_folder_or_module() -> None:
    files = (
        "/srv/.venv/lib/python3.11/site-packages/bdkpython/libbdkffi.so",
        "/usr/lib/python3/dist-packages/cryptography/hazmat/_rust.abi3.so",
        "/srv/.venv/lib/python3.11/site-packages/_zmq.abi3.so",
        "/srv/.venv/lib/python3.11/site-packages/inspector/_native.abi3.so",
        "/lib/x86_64-linux-gnu/libc.so.6",
    )
    assert packages_in(files) == ("_zmq", "bdkpython", "cryptography")


def test_a_family_is_the_parent_and_all_workers() -> None:
    parents = {10: 1, 11: 10, 12: 10, 13: 12, 20: 1, 21: 20}
    assert family(13, parents) == family(10, parents) == {10, 11, 12, 13}
    assert family(20, parents) == {20, 21}
    assert family(5, parents) == {5}


def test_a_circle_of_parents_ends() -> None:
    assert family(1, {1: 2, 2: 1}) == {1, 2}
