"""Native frames of a live process: real libraries, compiled by the test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.attach.discovery import socket_path
from inspector.attach.procfs import process_stat
from inspector.attach.segment import Segment
from inspector.commands.support.rows import snapshot_value
from inspector.model.codec import decode, encode
from inspector.model.snapshot import Snapshot
from inspector.model.stacks import Frame, Site
from inspector.session.live import LiveSession
from inspector.session.native_frames import NativeFrames
from inspector.session.source import SegmentSource
from tests.helpers.control_server import HELLO, ControlServer
from tests.helpers.segments import SegmentImage, lock_held, write_segment
from tests.helpers.targets import Target, start_target
from tests.helpers.waiting import Follower

SOURCE = """\
__attribute__((noinline)) void *place(void) { return __builtin_return_address(0); }
static inline __attribute__((always_inline)) void *keep(void)
{
    void *here = place();
    __asm__ volatile("" : : : "memory");
    return here;
}
void *open_cart(void)
{
    return keep();
}
"""
KEEP_LINE, OPEN_LINE = 4, 10
CALLER = ("main", "/srv/app.py", 7)


def compiled(folder: Path, *options: str) -> Path:
    """``libshop.so``, of the source beside it."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    source, library = folder / "shop.c", folder / "libshop.so"
    source.write_text(SOURCE)
    command = [compiler, "-O2", "-shared", "-fPIC", "-Wl,--build-id", *options]
    subprocess.run([*command, "-o", str(library), str(source)], check=True)
    return library


@contextmanager
def sites_of(library: Path) -> Iterator[tuple[Target, Path]]:
    """A process that has the library, and a segment with a handle that it made there."""
    with start_target("calling_native", str(library), "open_cart") as target:
        stat = process_stat(target.pid)
        assert stat is not None
        image = SegmentImage(
            header={"pid": target.pid, "start_time": stat.start_time},
            types=[{"name": b"Cart"}],
            sites=[[target.ready["address"], CALLER]],
            handles=[{"address": 64, "created_site": 1}],
        )
        yield target, write_segment(library.parent / f"{target.pid}-7.seg", image)


def site_in(target: Target, path: Path) -> Site:
    with Segment(path) as segment:
        source = SegmentSource(segment, NativeFrames(target.pid))
        source.state()
        return source.names.sites[1]


def test_a_stack_shows_files_and_lines_and_the_function_that_was_inlined(tmp_path: Path) -> None:
    library = compiled(tmp_path, "-g")
    source = str(tmp_path / "shop.c")
    with sites_of(library) as (target, path):
        site = site_in(target, path)
    assert site.frames == (
        Frame("keep", source, KEEP_LINE, str(library)),
        Frame("open_cart", source, OPEN_LINE, str(library)),
        Frame(*CALLER),
    )
    assert site.short() == "shop.c:4 keep"
    assert site.lines() == ("shop.c:4 keep", "shop.c:10 open_cart", "app.py:7 main")
    assert site.text().splitlines() == [
        f"{source}:4 keep (libshop.so)",
        f"{source}:10 open_cart (libshop.so)",
        "/srv/app.py:7 main",
    ]


def test_a_stack_of_a_stripped_library_names_functions_and_shows_no_line(tmp_path: Path) -> None:
    library = compiled(tmp_path, "-g", "-s")
    with sites_of(library) as (target, path):
        site = site_in(target, path)
    assert site.frames[0] == Frame("open_cart", str(library), 0, str(library))
    assert site.short() == "libshop.so open_cart"
    assert site.text().splitlines()[0] == f"{library} open_cart"


def test_a_library_that_was_removed_since_names_nothing_and_tells_the_reason(
    tmp_path: Path,
) -> None:
    """A viewer with all rights still reads the file that is loaded."""
    library = compiled(tmp_path, "-g")
    with sites_of(library) as (target, path):
        library.unlink()
        frame = site_in(target, path).frames[0]
        address = f"{target.ready['address']:#x}"
    if os.access(f"/proc/{os.getpid()}/map_files", os.X_OK) and not frame.no_line:
        assert (frame.function, frame.line) == ("keep", KEEP_LINE)
    else:
        assert (frame.function, frame.line) == (address, 0)
        assert frame.no_line.startswith("No such file")
        assert frame.whole().endswith(f"{address} ({frame.no_line})")


def test_frames_of_a_process_that_has_ended_are_addresses(tmp_path: Path) -> None:
    with sites_of(compiled(tmp_path, "-g")) as (target, path):
        target.kill()
        frame = site_in(target, path).frames[0]
    assert frame == Frame(f"{target.ready['address']:#x}", "", 0)


def watched(path: Path) -> Snapshot:
    """The first snapshot of a session with a target that this process plays."""
    with lock_held(path), ControlServer(socket_path(path), lambda _: HELLO):
        session = LiveSession(path)
        try:
            return Follower(session).wait(lambda _: True)
        finally:
            session.end()
            session.join()


def test_a_recording_has_the_texts_and_needs_neither_library_nor_process(tmp_path: Path) -> None:
    library = compiled(tmp_path, "-g")
    with sites_of(library) as (_, path):
        seen = watched(path)
    library.unlink()
    reopened = decode(encode(seen))
    assert reopened.sites[1].frames == seen.sites[1].frames
    assert reopened.sites[1].frames[0].line == KEEP_LINE
    assert snapshot_value(reopened, [0])["stacks"]["1"]["frames"][0] == {
        "function": "keep",
        "file": str(tmp_path / "shop.c"),
        "line": KEEP_LINE,
        "library": str(library),
        "no_line": None,
    }
