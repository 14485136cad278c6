"""Inputs that once ended in a traceback, hung, or took all memory.

And a short run of the fuzzer that found them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.attach.processes import LONGEST_COMMAND, short_name
from inspector.commands.support.files import open_saved
from inspector.errors import ControlError, FileFormatError
from inspector.model.churn import ChurnHistory
from inspector.model.codec import MAGIC, MAX_INDEX, VERSION, decode, encode
from inspector.model.delta import changes_since
from inspector.model.flame import Weight, build_flames
from inspector.model.png import MAX_CHUNKS, SIGNATURE, read_chunk
from inspector.model.session_file import (
    delta_record,
    events_record,
    file_start,
    read_events,
    read_vitals,
    record,
    snapshot_record,
    vitals_record,
)
from inspector.model.stacks import Frame, Site
from inspector.model.thread_matrix import thread_matrix
from inspector.session.adapter_answers import adapter_report
from inspector.session.answers import audit_log, gc_report
from inspector.session.mutes import Mutes
from inspector.session.session_file import MAX_CHAIN, SessionFile
from inspector.wire.declaration_files import MAX_DOTS, MAX_FILE_BYTES, Declared, read_file
from inspector.wire.declarations import declaration_value, parse_declarations
from inspector.wire.messages import decode_answer
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, big_snapshot, make_vitals, snapshot_of
from tests.helpers.targets import ROOT

PATIENCE_SECS = 110
BY_KIND: Any = {"ids": lambda value: type(value).__name__}
"""Names of cases; what is tried is no name."""
CASES = 6


def test_a_short_run_of_the_fuzzer_finds_no_crash() -> None:
    """In a process of its own, whose memory is bounded and which a watchdog ends."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--cases", str(CASES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 kinds of crash" in done.stdout


# snapshots ----------------------------------------------------------------------------------------


def packed(header: bytes, columns: bytes) -> bytes:
    """A snapshot around these, whole on the outside."""
    return struct.pack("<8sIIQ", MAGIC, VERSION, len(header), len(columns)) + zlib.compress(
        header + columns
    )


def test_a_small_file_does_not_become_a_large_one() -> None:
    bomb = packed(b"", bytes(64 << 20))
    assert len(bomb) < 100_000
    with pytest.raises(FileFormatError, match="far above its size"):
        decode(bomb)


def test_a_table_that_compresses_well_is_no_bomb() -> None:
    snapshot = big_snapshot(20_000)
    alike = {
        name: np.full(20_000, getattr(snapshot.handles, name)[0])
        for name in ("types", "addresses", "data", "created_at", "changed_at")
    }
    decode(
        encode(
            dataclasses.replace(snapshot, handles=dataclasses.replace(snapshot.handles, **alike))
        )
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("types", MAX_INDEX),
        ("created_sites", MAX_INDEX),
        ("last_threads", MAX_INDEX),
        ("ids", (1 << 32) - 2),
        ("strong", 1 << 53),
    ],
)
def test_a_number_that_would_become_a_table_of_gigabytes_is_refused(
    column: str, value: int
) -> None:
    snapshot = snapshot_of([Row(1)])
    columns = {column: np.full(1, value, getattr(snapshot.handles, column).dtype)}
    with pytest.raises(FileFormatError, match="out of range"):
        decode(
            encode(
                dataclasses.replace(
                    snapshot, handles=dataclasses.replace(snapshot.handles, **columns)
                )
            )
        )


def test_many_stacks_are_read_once_each_and_not_the_types_of_their_fields() -> None:
    """Reading the annotations for each frame separately took half a minute for a file of a
    megabyte."""
    frames = tuple(Frame(f"f{number}", "a.py", number) for number in range(12))
    sites = {index: Site(index, frames) for index in range(1, 3000)}
    assert decode(encode(dataclasses.replace(snapshot_of([Row(1)]), sites=sites))).sites == sites


def test_a_matrix_of_threads_is_as_large_as_what_is_shown() -> None:
    snapshot = big_snapshot(50, tombstones=20)
    far = dataclasses.replace(snapshot.threads[1], index=MAX_INDEX - 1)
    columns = {
        name: np.full(50, MAX_INDEX - 1, np.int64) for name in ("created_threads", "last_threads")
    }
    handles = dataclasses.replace(snapshot.handles, **columns)
    matrix = thread_matrix(dataclasses.replace(snapshot, handles=handles, threads={far.index: far}))
    assert (matrix.counts.tolist(), matrix.living.tolist()) == ([[20]], [30])


def test_counters_beyond_what_a_column_holds_are_taken_as_the_most_there_is() -> None:
    history = ChurnHistory()
    assert history.add(dataclasses.replace(make_vitals(T0, [1], [0]), live=2**64 - 1))
    assert history.live == 2**53


def test_a_type_of_impossible_size_has_none() -> None:
    snapshot = snapshot_of([Row(1)])
    types = {
        index: dataclasses.replace(row, size_bytes=2**64 - 1)
        for index, row in snapshot.types.items()
    }
    graph = build_flames(dataclasses.replace(snapshot, types=types), Weight.BYTES)
    assert graph.unsized == 1


# pictures and session files -----------------------------------------------------------------------


def test_a_picture_of_countless_parts_is_refused() -> None:
    part = struct.pack(">I4s", 0, b"abCd") + struct.pack(">I", zlib.crc32(b"abCd"))
    with pytest.raises(FileFormatError, match="too many parts"):
        read_chunk(SIGNATURE + part * (MAX_CHUNKS + 1), b"arIs")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_what_is_no_file_is_one_error_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "thing.png"
    make(path)
    with pytest.raises(FileFormatError, match=f"cannot be read: .*: {path}"):
        open_saved(path)


def test_a_chain_of_changes_without_end_is_cut(tmp_path: Path) -> None:
    first = big_snapshot(3)
    change = delta_record(*changes_since(first, first))
    path = tmp_path / "chain.arcs"
    path.write_bytes(file_start() + snapshot_record(first) + change * (MAX_CHAIN + 500))
    with SessionFile(path) as file:
        assert len(file.moments) == 1 + MAX_CHAIN
        assert "500 damaged records left out" in file.trouble


def test_many_records_of_events_are_joined_once(tmp_path: Path) -> None:
    events = events_record(events_of((T0, "create", 3, 1)))
    path = tmp_path / "events.arcs"
    path.write_bytes(file_start() + snapshot_record(big_snapshot(3)) + events * 3000)
    with SessionFile(path) as file:
        assert len(file.events) == 3000


def test_a_record_of_countless_readings_is_thinned() -> None:
    readings = [make_vitals(T0 + number, [number], [0]) for number in range(10_000)]
    assert len(read_vitals(vitals_record(readings)[12:])) <= 4096


def test_events_at_a_time_that_no_calendar_has_are_refused() -> None:
    odd = dataclasses.replace(events_of((T0, "create", 3, 1)), at=np.array([1e300]))
    with pytest.raises(FileFormatError, match="a record of events is damaged"):
        read_events(events_record(odd)[12:])


def test_a_record_that_says_that_it_unpacks_to_gigabytes_is_refused() -> None:
    listed = json.dumps([["at", "<f8", 30_000_000]]).encode()
    with pytest.raises(FileFormatError):
        read_vitals(
            record(b"VITL", struct.pack("<I", len(listed)) + listed + zlib.compress(b""))[12:]
        )


# declarations and settings ------------------------------------------------------------------------

MANY = MAX_FILE_BYTES - 1000
SLOW_TOMLS = {
    "a key of many parts": "a" + ".a" * (MANY // 2) + " = 1",
    "a table of many parts": "[" + "a." * (MANY // 2) + "a]",
    "quoted parts": '""' + '.""' * (MANY // 4) + " = 1",
    "parts with blanks": "a" + " . a" * (MANY // 4) + " = 1",
    "after a string that ends oddly": '{a = """x"""", b' + ".b" * (MANY // 4) + ' = 1, c = "y"}',
}


@pytest.mark.parametrize("text", SLOW_TOMLS.values(), ids=SLOW_TOMLS.keys())
def test_keys_of_countless_parts_are_refused_before_they_are_read(
    tmp_path: Path, text: str
) -> None:
    (trouble,) = troubles_of(tmp_path, text)
    assert f"a key has more than {MAX_DOTS} dots" in trouble


@pytest.mark.parametrize(
    "text",
    [
        "# " + "." * 5000,
        'a = "' + "." * 5000 + '"',
        "a = '''\n" + ".\n" * 500 + "'''",
        'a = """\\"' + "." * 100 + '"""',
        "a = [" + "0.1, " * 500 + "]",
        "a = '" + "." * 99 + "' # '" + "." * 99,
    ],
    **BY_KIND,
)
def test_dots_that_are_no_keys_are_read(tmp_path: Path, text: str) -> None:
    assert troubles_of(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[[proxy]]\nclass = 0x" + "f" * 50_000,
        "a = " + "[" * 50_000,
        "a = " + "{a=" * 50_000,
        "a = " + "9" * 10_000,
        'adapters = ["' + "n" * 300 + '"]',
        'adapters = "x"',
        "\ud800",
    ],
    **BY_KIND,
)
def test_a_bad_file_of_declarations_is_one_line(tmp_path: Path, text: str) -> None:
    (trouble,) = troubles_of(tmp_path, text)
    assert trouble.isprintable()
    assert len(trouble) < 1000


@pytest.mark.parametrize(
    "name",
    ["~nobody-of-this-name/x.toml", "a\\u0000b.toml", "/" + "n" * 5000, "missing.toml"],
    **BY_KIND,
)
def test_a_project_that_names_no_file_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f'[tool.arc-inspector]\nadapters = ["{name}"]')
    declared = Declared()
    read_file(path, declared)
    assert len(declared.troubles) == 1


def troubles_of(folder: Path, text: str) -> list[str]:
    path = folder / "adapters.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    declared = Declared()
    read_file(path, declared)
    return declared.troubles


@pytest.mark.parametrize(
    "value", [2**64, 10**5000, float("nan"), float("inf"), "\u202e", "\ud800"], **BY_KIND
)
def test_an_argument_that_cannot_be_sent_is_refused(value: object) -> None:
    found, troubles = parse_declarations(
        [{"class": "a.B", "close": "close", "close_with": {"x": value}}], "here"
    )
    assert (found, len(troubles)) == ([], 1)
    json.dumps([declaration_value(each) for each in found])


@pytest.mark.parametrize("text", ["[" * 100_000, "\ud800", "[1]", '{"a": 1}', "NaN"], **BY_KIND)
def test_a_damaged_list_of_what_is_muted_mutes_nothing_and_takes_more(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "mutes.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    mutes = Mutes(path)
    assert mutes.all() == {}
    mutes.mute("key", "because \ud800")
    assert mutes.all() == {"key": "because \ud800"}


# answers ------------------------------------------------------------------------------------------

GC = {"collected": 3, "released": 1, "closes_queued": 0, "still_pending": 2, "took_nanos": 1000}
ACT = {
    "at": T0,
    "op": "close",
    "pid": 3,
    "uid": 0,
    "handles": [3],
    "handle_count": 1,
    "outcome": "done",
}


def answer(**fields: object) -> str:
    return json.dumps({"nonce": 1, "ok": True, **fields})


@pytest.mark.parametrize("value", [-1, 2**70, 1.5, True, None, "3", [], {}])
def test_a_number_that_is_none_is_not_understood(value: object) -> None:
    with pytest.raises(ControlError, match="not understood"):
        gc_report(decode_answer(answer(**{**GC, "collected": value}).encode()))


@pytest.mark.parametrize(
    "act",
    [
        {"at": 1e300},
        {"at": -1.0},
        {"handles": [2**70]},
        {"result": [{"outcome": "closed"}]},
        {"result": [{"handle": 3}]},
        {"result": {"a": {"b": 1}}},
        {"result": 2**70},
        {"op": ["x"]},
    ],
)
def test_an_act_that_could_not_be_shown_is_not_understood(act: dict[str, object]) -> None:
    with pytest.raises(ControlError, match="not understood"):
        audit_log(decode_answer(answer(acts=[{**ACT, **act}], dropped=0).encode()))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "utf-32-be"])
def test_an_answer_in_another_encoding_is_no_answer(encoding: str) -> None:
    with pytest.raises(ControlError, match="not JSON"):
        decode_answer(answer(**GC).encode(encoding))


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "[" * 100_000, '{"a":' * 100_000, "9" * 5000],
    **BY_KIND,
)
def test_what_json_has_not_is_no_answer(text: str) -> None:
    with pytest.raises(ControlError, match="not JSON") as refusal:
        decode_answer(f'{{"nonce": 1, "ok": true, "x": {text}}}'.encode())
    assert str(refusal.value).isprintable()


def test_texts_of_a_target_lose_what_a_terminal_obeys() -> None:
    declared = {
        "class": "a\u202e\x1b",
        "source": "x\ny",
        "is_followed": True,
        "rows": 1,
        "waits_for": "",
        "trouble": "\ud800",
    }
    report = adapter_report(
        decode_answer(answer(adapters=["\x9b"], declared=[declared], troubles=["a\nb"]).encode())
    )
    assert report.names == ("\ufffd",)
    assert report.notices() == ("a b", "a\ufffd\ufffd is not fully followed: \ufffd: x y")


def test_the_longest_command_line_is_not_split_as_a_whole() -> None:
    assert short_name("python3 app.py '" + "x " * (1 << 20)) == "app.py"
    assert len(short_name("x" * LONGEST_COMMAND * 2)) <= LONGEST_COMMAND
