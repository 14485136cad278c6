"""The worker thread: every job is answered, even if an adapter fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from inspector.agent.adapters.protocol import Adapter, CloseVerdict
from inspector.agent.gc_hook import GcHook
from inspector.agent.jobs import Jobs
from inspector.agent.thread_names import ThreadNames
from inspector.agent.worker import Worker
from inspector.vocabulary import OPERATIONS, Operation, Place
from inspector.wire import ffi, lib

PATIENCE_SECS = 30.0


class ScriptedLib:
    """The native side of the job queue: prepared jobs, then the end of the agent."""

    def __init__(self, *jobs: dict[str, Any] | None) -> None:
        self._jobs = [
            None if job is None else json.dumps({"job": number, **job}).encode()
            for number, job in enumerate(jobs)
        ]
        self.answers: dict[int, dict[str, Any]] = {}
        self.waits: list[int] = []
        self.given_up: set[int] = set()

    def ai_control_next(self, buffer: Any, capacity: int, timeout_millis: int) -> int:
        if timeout_millis == 0:
            return 0  # a scan is on its way: it continues before the next job
        self.waits.append(timeout_millis)
        if not self._jobs:
            return -1
        job = self._jobs.pop(0)
        if job is None:
            return 0
        ffi.memmove(buffer, job, len(job))
        return len(job)

    def ai_control_progress(self, number: int, so_far: bytes, length: int) -> int:
        assert len(so_far) == length
        return number not in self.given_up

    def ai_control_reply(self, number: int, reply: bytes, length: int) -> None:
        assert len(reply) == length
        self.answers[number] = json.loads(reply)

    def __getattr__(self, name: str) -> Any:
        return getattr(lib, name)


class FakeAdapter:
    def __init__(self, rows: Sequence[int] = (), failure: Exception | None = None) -> None:
        self.name = "fake"
        self.rows = rows
        self.failure = failure
        self.polls = 0

    def attach(self) -> None:
        pass

    def detach(self) -> None:
        pass

    def scan(self) -> Iterator[int]:
        self._fail()
        yield from range(1, len(self.rows) + 1)

    def poll(self) -> None:
        self.polls += 1
        self._fail()

    def owns(self, row: int) -> bool:
        return row in self.rows

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        self._fail()
        return CloseVerdict(
            "would_close" if preview else "closed", f"although held: {although_held}", ("a", "b")
        )

    def referrers(self, row: int) -> Sequence[str]:
        self._fail()
        return [f"held by {row}"]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def detached() -> list[bool]:
    return []


def run(
    monkeypatch: pytest.MonkeyPatch,
    script: ScriptedLib,
    *adapters: Adapter,
    detached: list[bool] | None = None,
) -> dict[int, dict[str, Any]]:
    monkeypatch.setattr("inspector.agent.worker.lib", script)
    gone = [] if detached is None else detached
    worker = Worker(
        adapters,
        Jobs(adapters, GcHook(), ThreadNames()),
        detach=lambda tell: (tell([]), gone.append(True)),
    )
    worker.start()
    worker.join(PATIENCE_SECS)
    return script.answers


def test_a_beat_is_answered_and_lets_the_adapters_look_around(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapter = FakeAdapter()
    assert run(monkeypatch, ScriptedLib({"op": "beat"}), adapter) == {0: {"ok": True}}
    assert adapter.polls == 1


def test_a_forced_collection_says_what_it_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    knot: list[Any] = []
    knot.append(knot)
    del knot
    answer = run(monkeypatch, ScriptedLib({"op": "gc"}))[0]
    assert answer["ok"]
    assert answer["collected"] >= 1
    assert answer["took_nanos"] > 0


def test_a_scan_adds_up_the_rows_of_all_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = run(
        monkeypatch,
        ScriptedLib({"op": "scan"}, {"op": "beat"}),
        FakeAdapter(range(3)),
        FakeAdapter(range(4)),
    )
    assert answers == {0: {"ok": True, "rows": 7}, 1: {"ok": True}}


def test_closing_asks_the_adapter_that_keeps_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    script = ScriptedLib(
        {"op": "preview", "handles": [5], "although_held": False},
        {"op": "close", "handles": [5, 6, 99], "although_held": True},
    )
    answers = run(monkeypatch, script, FakeAdapter([5]), FakeAdapter([6], ValueError("it stuck")))
    assert answers[0]["answers"] == [
        {
            "handle": 5,
            "outcome": "would_close",
            "reason": "although held: False",
            "holders": ["a", "b"],
        }
    ]
    assert [
        (answer["handle"], answer["outcome"], answer["reason"]) for answer in answers[1]["answers"]
    ] == [
        (5, "closed", "although held: True"),
        (6, "failed", "ValueError: it stuck"),
        (99, "refused", "no adapter knows this handle"),
    ]


def test_the_referrers_come_from_the_adapter_that_keeps_the_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = run(
        monkeypatch,
        ScriptedLib({"op": "referrers", "handle": 6}, {"op": "referrers", "handle": 7}),
        FakeAdapter([6]),
    )
    assert (answers[0]["referrers"], answers[1]["referrers"]) == (["held by 6"], [])


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"op": "dance"}, "unknown operation 'dance'"),
        ({"op": "referrers"}, "handle is not a number"),
        ({"op": "referrers", "handle": True}, "handle is not a number"),
        ({"op": "close", "handles": 5}, "handles is not a list of numbers"),
        ({"op": "close", "handles": ["5"]}, "handles is not a list of numbers"),
    ],
)
def test_a_job_that_makes_no_sense_is_answered_with_one_line(
    monkeypatch: pytest.MonkeyPatch, job: dict[str, Any], words: str
) -> None:
    assert run(monkeypatch, ScriptedLib(job)) == {0: {"ok": False, "error": words}}


def test_an_adapter_that_fails_is_an_answer_and_the_next_job_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = run(
        monkeypatch,
        ScriptedLib(None, None, {"op": "scan"}, {"op": "beat"}, {"op": "threads"}),
        FakeAdapter([], ValueError("adapter broke")),
    )
    assert [answers[number]["ok"] for number in (0 + 2, 3, 4)] == [False, False, True]
    assert answers[2]["error"] == "adapter broke"
    assert capsys.readouterr().err == "arc-inspector: ValueError: adapter broke\n"


def test_without_jobs_the_worker_looks_around_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, script = FakeAdapter(), ScriptedLib(None, None)
    run(monkeypatch, script, adapter)
    assert adapter.polls == 2
    assert all(wait >= 250 for wait in script.waits)


def test_being_sent_away_is_answered_before_it_is_done(
    monkeypatch: pytest.MonkeyPatch, detached: list[bool]
) -> None:
    assert run(monkeypatch, ScriptedLib({"op": "detach"}), detached=detached) == {0: {"ok": True}}
    assert detached == [True]


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.place is not Place.NATIVE],
    ids=lambda each: each.name,
)
def test_the_worker_knows_each_operation_of_the_interpreter(
    monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    (answer,) = run(
        monkeypatch,
        ScriptedLib({"op": operation.name, "handle": 6, "handles": [], "declarations": []}),
        FakeAdapter(),
    ).values()
    assert "unknown operation" not in answer.get("error", "")
    jobs = Jobs((), GcHook(), ThreadNames())
    # a scan belongs to the worker itself
    assert jobs.is_long(operation.name) == (operation.is_long and operation.name != "scan")
