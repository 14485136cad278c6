"""The things that are fuzzed: each makes a case from a generator and puts it through the product.

A case passes when nothing but an ``InspectorError`` of one harmless line comes out of it.
"""

from __future__ import annotations

import contextlib
import json
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from inspector.attach.segment import Segment
from inspector.commands.findings import _events_of, _observe_recording
from inspector.commands.support.files import open_saved
from inspector.commands.support.output import json_text, print_error
from inspector.errors import InspectorError
from inspector.model.build import Moment, table_snapshot
from inspector.model.codec import MAGIC as SNAPSHOT_MAGIC
from inspector.model.codec import VERSION, decode, encode
from inspector.model.delta import changes_since
from inspector.model.filter import parse
from inspector.model.png import SIGNATURE
from inspector.model.session_file import (
    RECORD,
    delta_record,
    events_record,
    file_start,
    json_record,
    record,
    snapshot_record,
    vitals_record,
)
from inspector.session.mutes import Mutes
from inspector.session.replay import ReplaySession
from inspector.session.source import SegmentSource
from tests.fuzz.answers import answers_subject
from tests.fuzz.declarations import declarations_subject, jobs_subject
from tests.fuzz.looking import listened, look_at_snapshot
from tests.fuzz.mutations import any_value, mutate_bytes, mutate_json, mutate_numbers
from tests.helpers.events import events_of
from tests.helpers.screens import HOSTILE_TEXT, assert_harmless
from tests.helpers.segments import SegmentImage
from tests.helpers.snapshots import (
    T0,
    Row,
    World,
    big_snapshot,
    make_target,
    make_vitals,
    snapshot_of,
)

Subject = Callable[[random.Random, Path], None]
HEAD = struct.Struct("<8sIIQ")


def _good_snapshots() -> list[bytes]:
    rows = [Row(1), Row(2, type="Journal", in_flight=2, thread="worker-1"), Row(3, type="TodoList")]
    lost = {"events": 3, "misuse_stale": 2}
    return [
        encode(snapshot_of(rows, lost=lost)),
        encode(big_snapshot(200, tombstones=20, pending=10)),
        encode(snapshot_of([])),
    ]


SNAPSHOTS = _good_snapshots()


def mutated_snapshot(rng: random.Random) -> bytes:
    """A snapshot whose parts are damaged and whose outside is whole."""
    data = rng.choice(SNAPSHOTS)
    if rng.random() < 0.1:
        return mutate_bytes(data, rng)
    _, _, header_bytes, _ = HEAD.unpack_from(data)
    body = zlib.decompress(data[HEAD.size :])
    header, columns = body[:header_bytes], body[header_bytes:]
    if rng.random() < 0.5:
        header = json.dumps(mutate_json(json.loads(header), rng)).encode()
    if rng.random() < 0.6:
        columns = mutate_numbers(columns, rng)
    if rng.random() < 0.05:
        header = mutate_bytes(header, rng)
    return HEAD.pack(SNAPSHOT_MAGIC, VERSION, len(header), len(columns)) + zlib.compress(
        header + columns, 1
    )


def png_of(snapshot: bytes) -> bytes:
    """A picture around it, checksums right."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    return (
        SIGNATURE
        + chunk(b"IHDR", bytes(13))
        + chunk(b"arIs", snapshot)
        + chunk(b"IDAT", bytes(30))
        + chunk(b"IEND", b"")
    )


def snapshot_subject(rng: random.Random, folder: Path) -> None:
    """The codec, and all uses of the snapshots that it accepts."""
    look_at_snapshot(decode(mutated_snapshot(rng)))


def picture_subject(rng: random.Random, folder: Path) -> None:
    """A picture with data, opened as ``open`` does."""
    picture = png_of(mutated_snapshot(rng))
    _look_at_file(
        folder / "picture.png", mutate_bytes(picture, rng) if rng.random() < 0.4 else picture
    )


def session_subject(rng: random.Random, folder: Path) -> None:
    """A session file whose records are damaged, doubled, left out and in another order.

    Most checksums are right.
    """
    records = [bytearray(each) for each in _RECORDS]
    for _ in range(rng.choice((1, 1, 2, 4))):
        number = rng.randrange(len(records))
        kind, payload = bytes(records[number][:4]), bytes(records[number][RECORD.size :])
        what = rng.randrange(6)
        if what == 0:
            records.insert(rng.randrange(len(records)), bytearray(records[number]))
        elif what == 1:
            del records[number]
        elif kind in (b"SNAP", b"DELT") and what < 5:
            at = rng.choice((payload[:8], mutate_numbers(payload[:8], rng)))
            records[number] = bytearray(record(b"SNAP", at + mutated_snapshot(rng)))
        else:
            records[number] = bytearray(record(kind, _mutated_payload(kind, payload, rng)))
    data = file_start() + b"".join(records)
    _look_at_file(folder / "session.arcs", mutate_bytes(data, rng) if rng.random() < 0.15 else data)


def _mutated_payload(kind: bytes, payload: bytes, rng: random.Random) -> bytes:
    if kind in (b"HEAD", b"MARK", b"LAST"):
        return json.dumps(mutate_json(json.loads(payload), rng)).encode()
    if kind in (b"VITL", b"EVNT") and rng.random() < 0.8 and payload in _PAYLOADS:
        size = struct.unpack_from("<I", payload)[0]
        listed, body = payload[4 : 4 + size], zlib.decompress(payload[4 + size :])
        if rng.random() < 0.3:
            listed = json.dumps(mutate_json(json.loads(listed), rng)).encode()
        return struct.pack("<I", len(listed)) + listed + zlib.compress(mutate_numbers(body, rng), 1)
    return mutate_bytes(payload, rng)


def _recorded() -> list[bytes]:
    first, second = big_snapshot(50, pending=3), big_snapshot(52, at=T0 + 1, serial=2, seed=8)
    return [
        json_record(b"HEAD", {"program": "app.py", "pid": 7, "at": T0}),
        snapshot_record(first),
        vitals_record(
            [make_vitals(T0 + step / 10, [5 + step, 7], [step, 0]) for step in range(20)]
        ),
        events_record(
            events_of((T0, "create", 3, 1), (T0 + 0.5, "borrow", 3, 2), (T0 + 0.6, "gap", 0, 9))
        ),
        delta_record(*changes_since(first, second)),
        json_record(b"MARK", {"at": T0 + 1, "name": "before"}),
        json_record(b"LAST", {"snapshots": 2, "left_out": 0}),
    ]


_RECORDS = _recorded()
_PAYLOADS = {each[RECORD.size :] for each in _RECORDS}


def segment_subject(rng: random.Random, folder: Path) -> None:
    """A segment that a dead process left."""
    data = mutate_numbers(_SEGMENT, rng) if rng.random() < 0.7 else mutate_bytes(_SEGMENT, rng)
    if rng.random() < 0.5:  # numbers of the header, where the sizes are
        data = mutate_numbers(data[:4096], rng) + data[4096:]
    _look_at_file(folder / "dead.seg", data)


def living_subject(rng: random.Random, folder: Path) -> None:
    """A segment whose bytes change between the readings of a living process."""
    path = folder / "living.seg"
    path.write_bytes(_SEGMENT)
    path.chmod(0o600)
    with Segment(path) as segment:
        source = SegmentSource(segment)
        for serial in range(1, rng.randint(2, 4)):
            data = mutate_numbers(_SEGMENT, rng)
            with path.open("r+b") as file:
                file.write(data if rng.random() < 0.3 else _SEGMENT[:4096] + data[4096:])
            moment = Moment(serial=serial, taken_at=T0, target=make_target())
            look_at_snapshot(table_snapshot(source.table(), source.names, source.codes, moment))


_SEGMENT = SegmentImage(
    types=[
        {"name": HOSTILE_TEXT.encode(errors="replace")[:100], "closes": 1},
        {"name": b"Journal"},
    ],
    threads=[{"tid": 7, "name": b"worker\x1b[1m", "depth": 1, "calls": [3]}],
    handles=[
        {
            "address": 64 * row,
            "type_id": 1 + row % 2,
            "created_site": 1,
            "created_at_ticks": 1000 + row,
        }
        for row in range(1, 30)
    ],
    sites=[[("f", "a\n.py", 1), ("g", "b.py", 2)]],
).to_bytes()


def _look_at_file(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    session = open_saved(path)
    try:
        events = _events_of(session)
        if session.latest is not None:
            look_at_snapshot(session.latest, events)
        if isinstance(session, ReplaySession):
            _observe_recording(session)
            assert_harmless(json_text({"marks": session.marks, "trouble": session.trouble}))
    finally:
        session.end()


def filter_subject(rng: random.Random, folder: Path) -> None:
    """Texts of the filter."""
    words = [rng.choice(_FILTER_WORDS) for _ in range(rng.randrange(1, 8))]
    text = rng.choice(("", " ")).join(words)
    found = parse(
        mutate_bytes(text.encode(errors="replace"), rng).decode(errors="replace")
        if rng.random() < 0.4
        else text
    )
    found.mask(_FILTERED)


_FILTERED = snapshot_of([Row(1), Row(2, type="Journal")], world=World())
_FILTER_WORDS = (
    *(
        "type:",
        "state:",
        "age>",
        "strong",
        ">=",
        "!=",
        "1",
        "10s",
        "-",
        '"',
        "\\",
        ",",
        ":",
        "born:",
        "14:03..",
        "..14:05",
        "#1.1",
        "id:#",
    ),
    *(
        "99999999999999999999",
        "1e999",
        "\n",
        "\u202e",
        "\x1b",
        "é",
        "³",
        "٣",
        "inner<",
        "nan",
        '"' * 50,
        "\\" * 50,
        "a" * 5000,
        '"\\"' * 2000,
    ),
)


def settings_subject(rng: random.Random, folder: Path) -> None:
    """Files of the viewer's own that something damaged."""
    data = json.dumps(mutate_json({"leak:TodoItem": "known", "x": "y"}, rng)).encode()
    path = folder / "mutes.json"
    path.write_bytes(mutate_bytes(data, rng) if rng.random() < 0.5 else data)
    mutes = Mutes(path)
    mutes.all()
    mutes.mute(str(any_value(rng, "x"))[:100], HOSTILE_TEXT)
    json.loads(path.read_text())


SUBJECTS: Mapping[str, Subject] = {
    "snapshot": snapshot_subject,
    "picture": picture_subject,
    "session": session_subject,
    "segment": segment_subject,
    "living": living_subject,
    "declarations": declarations_subject,
    "answers": answers_subject,
    "jobs": jobs_subject,
    "filter": filter_subject,
    "settings": settings_subject,
}


def seeded(subject: str, seed: int) -> random.Random:
    """The generator of the case with that number."""
    return random.Random(f"{subject} {seed}")  # noqa: S311 - cases, not secrets


def try_case(subject: str, rng: random.Random, folder: Path) -> str:
    """Run a case; ``""``, or its line of error. Raises an error that no input may cause."""
    try:
        SUBJECTS[subject](rng, folder)
    except InspectorError as error:
        with listened() as screen, contextlib.redirect_stderr(screen):
            print_error(str(error))
        assert len(screen.getvalue().splitlines()) == 1
        return str(error)
    return ""
