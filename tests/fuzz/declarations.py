"""Cases of declarations, as files and as jobs."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from typing import Any

from inspector.agent.jobs import _number, _numbers
from inspector.commands.support.output import json_text, say
from inspector.errors import InspectorError
from inspector.leaks.allow import read_allow_list
from inspector.wire.declaration_files import Declared, read_file
from inspector.wire.declarations import declaration_value, parse_declarations
from inspector.wire.messages import decode_job
from tests.fuzz.looking import listened
from tests.fuzz.mutations import mutate_bytes, mutate_json
from tests.helpers.screens import assert_harmless


def declarations_subject(rng: random.Random, folder: Path) -> None:
    """A file of declarations, as text and as structure."""
    text = rng.choice(TOMLS)
    lines = text.splitlines(keepends=True)
    for _ in range(rng.randrange(4)):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines + TOML_LINES))
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
    parse_declarations(mutate_json(DECLARATIONS, rng), "the viewer")


DECLARATIONS: list[dict[str, Any]] = [
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


TOMLS = (
    '[tool.arc-inspector]\nadapters = ["zmq", "x"]\n[[tool.arc-inspector.proxy]]\nclass = '
    '"a.B"\nhandle = "_h.value"\n'
    '[[tool.arc-inspector.leaks]]\ntype = "A"\nreason = "known"\nat_most = 3\n',
    '[[proxy]]\nclass = "a.B"\nclose = "close"\nclose_with = { linger = 0 }\nreleased = "fd == '
    '-1"\n[[proxy]]\nname = "x"\n'
    'library = "a.b"\ncreates = ["x_new"]\nfrees = ["x_free@1"]\n',
)


TOML_LINES = [
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


def jobs_subject(rng: random.Random, folder: Path) -> None:
    """Jobs that a peer makes the native side hand to the target's worker."""
    job = {"job": 1, "op": "declare", "declarations": DECLARATIONS, "handle": 3, "handles": [3, 4]}
    data = json.dumps(mutate_json(job, rng)).encode()
    found = decode_job(mutate_bytes(data, rng) if rng.random() < 0.3 else data)
    declarations, troubles = parse_declarations(found.fields.get("declarations"), "the viewer")
    json.dumps(
        [declaration_value(each) for each in declarations] + troubles, allow_nan=False
    ).encode()
    _number(found.fields, "handle")
    _numbers(found.fields, "handles")
