"""A snapshot that is full of private parts, and the words that must not leave the tool."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from inspector.model.private_texts import Private
from inspector.model.snapshot import Snapshot
from inspector.model.stacks import Frame, Site, ThreadStack
from tests.helpers.snapshots import Row, snapshot_of

PASSWORD: Final = "hunter2-of-alice"  # noqa: S105 - a word to look for
PRIVATE: Final = Private(
    users=frozenset({"alice"}),
    hosts=frozenset({"build-host-7"}),
    homes=frozenset({"/home/alice"}),
    projects=frozenset({"/home/alice/work/app"}),
)
SECRETS: Final = (
    PASSWORD,
    "alice",
    "build-host-7",
    "/home/",
    "customers",
    "/opt/vendor",
    "topsecret",
)
"""Words of which none may be in a redacted file."""
FRAMES: Final = (
    Frame("add", "/home/alice/work/app/store/items.py", 41),
    Frame("decode", "/opt/vendor/customers/decode.py", 7),
    Frame("run", "/home/alice/.venv/lib/python3.11/site-packages/bdkpython/bdk.py", 900),
    Frame("start", "/usr/lib/python3.11/threading.py", 12),
    Frame("?", "/home/bob builder/x/libnative.so", 0, "/home/bob builder/x/libnative.so"),
)


def secret_snapshot() -> Snapshot:
    """Three rows whose target, sites, threads and notes name a person, a host and secrets."""
    snapshot = snapshot_of([Row(1), Row(2, "Journal"), Row(3)])
    threads = {
        index: replace(row, name=f"worker of alice on build-host-7 {index}")
        for index, row in snapshot.threads.items()
    }
    return replace(
        snapshot,
        target=replace(
            snapshot.target,
            command=f"/home/alice/.venv/bin/python app.py --password={PASSWORD} --token topsecret",
            executable="/home/alice/.venv/bin/python3.11",
            reason=f"stopped by alice with TOKEN={PASSWORD}",
        ),
        sites=MappingProxyType({index: Site(index, FRAMES) for index in (1, 2)}),
        threads=MappingProxyType(threads),
        stacks=(ThreadStack(7, "alice", "waits for /home/alice/x.sock", FRAMES),),
        notes=(f"/opt/vendor/customers/list.txt cannot be read: {PASSWORD}",),
    )


def secrets_in(data: bytes | str) -> list[str]:
    """The private words that stand in a file, in any of the usual encodings."""
    raw = data.encode() if isinstance(data, str) else data
    return [
        word
        for word in SECRETS
        if any(word.encode(code) in raw for code in ("utf-8", "utf-16-le", "utf-16-be"))
    ]
