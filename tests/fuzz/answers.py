"""Cases of a target's answers, read and printed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inspector.commands.adapters import _print as print_adapters
from inspector.commands.audit import _print as print_audit
from inspector.commands.audit import act_value
from inspector.commands.close import _print as print_close
from inspector.commands.gc import sentence
from inspector.commands.support.output import json_text, say
from inspector.commands.support.rows import answer_value, gc_value
from inspector.session.adapter_answers import adapter_report
from inspector.session.answers import audit_log, close_answers, drain_report, gc_report, level_in
from inspector.session.holder_answers import cycles_in, native_holders_in, retainers_in
from inspector.wire.messages import decode_answer
from tests.fuzz.looking import listened
from tests.fuzz.mutations import mutate_bytes, mutate_json
from tests.helpers.snapshots import T0


def answers_subject(rng: random.Random, folder: Path) -> None:
    """Answers of a target, read by each reader that there is, and printed."""
    name = rng.choice(list(ANSWERS))
    line = json.dumps(
        mutate_json({"nonce": 1, "ok": True, **ANSWERS[name]}, rng), ensure_ascii=rng.random() < 0.5
    )
    data = line.encode(errors="surrogatepass")
    if rng.random() < 0.2:
        data = mutate_bytes(data, rng)
    if rng.random() < 0.05:
        data = line.encode(rng.choice(("utf-16", "utf-32-le", "utf-16-be")), errors="surrogatepass")
    answer = decode_answer(data)
    with listened():
        READERS[name](answer)


ANSWERS: Mapping[str, Any] = {
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


READERS: Mapping[str, Callable[[Any], object]] = {
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
