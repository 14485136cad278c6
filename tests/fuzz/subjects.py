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
from typing import Any

from inspector.agent.jobs import _number, _numbers
from inspector.attach.segment import Segment
from inspector.commands.adapters import _print as print_adapters
from inspector.commands.audit import _print as print_audit
from inspector.commands.audit import act_value
from inspector.commands.close import _print as print_close
from inspector.commands.findings import _events_of, _observe_recording
from inspector.commands.gc import sentence
from inspector.commands.support.files import open_saved
from inspector.commands.support.output import json_text, print_error, say
from inspector.commands.support.rows import answer_value, gc_value
from inspector.errors import InspectorError
from inspector.leaks.allow import read_allow_list
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
from inspector.session.adapter_answers import adapter_report
from inspector.session.answers import audit_log, close_answers, drain_report, gc_report, level_in
from inspector.session.holder_answers import cycles_in, native_holders_in, retainers_in
from inspector.session.mutes import Mutes
from inspector.session.replay import ReplaySession
from inspector.session.source import SegmentSource
from inspector.wire.declaration_files import Declared, read_file
from inspector.wire.declarations import declaration_value, parse_declarations
from inspector.wire.messages import decode_answer, decode_job
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


def declarations_subject(rng: random.Random, folder: Path) -> None:
    """A file of declarations, as text and as structure."""
    text = rng.choice(_TOMLS)
    lines = text.splitlines(keepends=True)
    for _ in range(rng.randrange(4)):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines + _TOML_LINES))
    data = "".join(lines).encode(errors="replace")
    path = folder / rng.choice(("adapters.toml", "pyproject.toml"))
    path.write_bytes(mutate_bytes(data, rng) if rng.random() < 0.5 else data)
    declared = Declared()
    read_file(path, declared)
    values = [declaration_value(each) for each in declared.declarations]
    assert_harmless(json_text({"declared": values, "troubles": declared.troubles}))
    with listened():
        for trouble in declared.troubles:
            say(trouble)
    with contextlib.suppress(InspectorError):
        read_allow_list(folder, ())
    parse_declarations(mutate_json(_DECLARATIONS, rng), "the viewer")


_DECLARATIONS: list[dict[str, Any]] = [
    {
        "class": "zmq.Socket",
        "handle": "underlying",
        "released": "closed",
        "close": "close",
        "close_with": {"linger": 0},
        "watch": ["bind"],
    },
    {
        "class": "a.B",
        "library": "a._lib",
        "handle": "_h",
        "creates": ["b_new"],
        "frees": ["b_free@1"],
        "owner_closes": True,
    },
]
_TOMLS = (
    '[tool.arc-inspector]\nadapters = ["zmq", "x"]\n[[tool.arc-inspector.proxy]]\nclass = '
    '"a.B"\nhandle = "_h.value"\n'
    '[[tool.arc-inspector.leaks]]\ntype = "A"\nreason = "known"\nat_most = 3\n',
    '[[proxy]]\nclass = "a.B"\nclose = "close"\nclose_with = { linger = 0 }\nreleased = "fd == '
    '-1"\n[[proxy]]\nname = "x"\n'
    'library = "a.b"\ncreates = ["x_new"]\nfrees = ["x_free@1"]\n',
)
_TOML_LINES = [
    "a" + ".a" * 5000 + " = 1\n",
    "[" + "a." * 5000 + "a]\n",
    "a = " + "[" * 3000 + "\n",
    "a = " + "{a=" * 3000 + "\n",
    "n = " + "9" * 5000 + "\n",
    "n = 0x" + "f" * 50_000 + "\n",
    'released = "' + "(" * 150 + '"\n',
    'adapters = ["' + "n" * 300 + '", "~nobody/x", "a\\u0000b", "../../x"]\n',
    "adapters = [" + '"a1", ' * 5000 + "]\n",
    "at = 1979-05-27T07:32:00Z\n",
    'close_with = { a = nan, b = inf, c = "\\u202e" }\n',
    "x = 1\n" * 3,
]


def answers_subject(rng: random.Random, folder: Path) -> None:
    """Answers of a target, read by each reader that there is, and printed."""
    name = rng.choice(list(_ANSWERS))
    line = json.dumps(
        mutate_json({"nonce": 1, "ok": True, **_ANSWERS[name]}, rng),
        ensure_ascii=rng.random() < 0.5,
    )
    data = line.encode(errors="surrogatepass")
    if rng.random() < 0.2:
        data = mutate_bytes(data, rng)
    if rng.random() < 0.05:
        data = line.encode(rng.choice(("utf-16", "utf-32-le", "utf-16-be")), errors="surrogatepass")
    answer = decode_answer(data)
    with listened():
        _READERS[name](answer)


_ANSWERS: Mapping[str, Any] = {
    "gc": {
        "collected": 3,
        "released": 1,
        "closes_queued": 0,
        "still_pending": 2,
        "took_nanos": 1000,
        "uncollectable": 0,
    },
    "close": {
        "answers": [
            {"handle": 3, "outcome": "closed", "reason": "x", "holders": ["a"], "first": [5]}
        ]
    },
    "drain": {"ran": 1, "still_pending": 0},
    "level": {"level": 2},
    "audit": {
        "acts": [
            {
                "at": T0,
                "op": "close",
                "pid": 3,
                "uid": 0,
                "handles": [3],
                "handle_count": 1,
                "outcome": "done",
            }
            | {"result": [{"handle": 3, "outcome": "closed"}], "wish": {"although_held": True}},
            {
                "at": T0,
                "op": "gc",
                "pid": 3,
                "uid": 0,
                "handles": [],
                "handle_count": 0,
                "outcome": "done",
                "result": {"collected": 3},
            },
        ],
        "dropped": 0,
        "trouble": "",
    },
    "adapters": {
        "adapters": ["uniffi"],
        "declared": [
            {
                "class": "a.B",
                "source": "x.toml",
                "is_followed": True,
                "rows": 3,
                "waits_for": "",
                "trouble": "",
            }
        ],
        "troubles": ["x"],
    },
    "retainers": {
        "paths": [
            {"steps": [{"kind": "attribute", "text": "a", "file": "b.py", "line": 3}], "root": True}
        ],
        "holders": 1,
        "looked_at": 9,
        "is_cut": False,
        "longest_step_ms": 1.5,
    },
    "holders": {
        "fields": [{"label": "a", "count": 1, "type": "T", "from": 3}],
        "labels": [{"label": "b", "count": 2}],
        "unread": 0,
    }
    | {"unnamed": 1},
    "cycles": {
        "cycles": [
            {
                "nodes": [{"side": "python", "text": "a", "edge": "b", "handle": 3}],
                "cut": "x",
                "exact": True,
            }
        ],
        "count": 1,
        "looked_at": 3,
        "is_cut": False,
    },
}


def _print_audit(answer: Any) -> None:
    log = audit_log(answer)
    print_audit(log)
    say(json_text({"acts": [act_value(act) for act in log.acts], "dropped": log.dropped}))


def _print_close(answer: Any) -> None:
    answers = close_answers(answer)
    print_close(answers)
    say(json_text({"answers": [answer_value(each) for each in answers]}))


def _print_gc(answer: Any) -> None:
    report = gc_report(answer)
    say(sentence(report))
    say(json_text(gc_value(report)))


def _print_adapters(answer: Any) -> None:
    report = adapter_report(answer)
    print_adapters(report)
    for notice in report.notices():
        say(notice)


_READERS: Mapping[str, Callable[[Any], object]] = {
    "gc": _print_gc,
    "close": _print_close,
    "drain": lambda answer: say(str(drain_report(answer))),
    "level": lambda answer: say(str(level_in(answer))),
    "audit": _print_audit,
    "adapters": _print_adapters,
    "retainers": lambda answer: say(str(retainers_in(answer))),
    "holders": lambda answer: say(str(native_holders_in(answer))),
    "cycles": lambda answer: say(str(cycles_in(answer))),
}


def jobs_subject(rng: random.Random, folder: Path) -> None:
    """Jobs that a peer makes the native side hand to the target's worker."""
    job = {"job": 1, "op": "declare", "declarations": _DECLARATIONS, "handle": 3, "handles": [3, 4]}
    data = json.dumps(mutate_json(job, rng)).encode()
    found = decode_job(mutate_bytes(data, rng) if rng.random() < 0.3 else data)
    declarations, troubles = parse_declarations(found.fields.get("declarations"), "the viewer")
    json.dumps(
        [declaration_value(each) for each in declarations] + troubles, allow_nan=False
    ).encode()
    _number(found.fields, "handle")
    _numbers(found.fields, "handles")


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
