"""Metrics of real processes, read from their segments alone."""

from __future__ import annotations

import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from inspector.commands.support.metrics_hub import MetricsHub
from inspector.model.metrics.families import (
    BORN,
    CLOSED,
    ENDED,
    ENDINGS,
    FINDINGS,
    LIVE,
    LIVE_MOST,
    NEVER_CLOSED,
    PENDING,
    PENDING_AGE,
    PROCESSES,
    SUSPECT_HANDLES,
    UNREADABLE,
    Family,
    Series,
)
from inspector.session.host_watch import HostWatch
from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import Target, start_target

SERVICE = ("shop", "1.4", "todo.py")
ENVIRONMENT = {
    "OTEL_SERVICE_NAME": "shop",
    "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.4,team=x",
}


class Clock:
    """Time that a test moves. It begins before any program here."""

    def __init__(self) -> None:
        self.at = time.time()

    def __call__(self) -> float:
        return self.at


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> Iterator[MetricsHub]:
    """Looks at the segments of this test alone."""
    watch = HostWatch(clock, lambda: tmp_path.glob("*/*.seg"), lambda: ())
    made = MetricsHub(watch)
    yield made
    made.close()


def started(stack: ExitStack, level: str = "count") -> Target:
    return stack.enter_context(start_target("todo", level, env=ENVIRONMENT))


def value(hub: MetricsHub, family: Family, *labels: str) -> float | None:
    assert hub.published is not None
    return hub.published.values.get(Series(family, (*SERVICE, *labels)))


def test_processes_come_stop_end_and_are_killed_while_counters_stay(
    hub: MetricsHub, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        first, second = started(stack), started(stack)
        first.ask("many 5")
        second.ask("many 3")
        second.ask(f"journal j {tmp_path / 'journal'}")
        hub.look()
        assert value(hub, PROCESSES, "runs") == 2
        # a counter that begins at 1 is no increase for Prometheus
        assert [value(hub, ENDED, ending) for ending in ENDINGS] == [0, 0, 0]
        assert value(hub, LIVE, "TodoItem") == 8
        assert value(hub, LIVE_MOST, "TodoItem") == 5
        assert value(hub, BORN, "TodoItem") == 8
        assert value(hub, PENDING, "Journal") == value(hub, PENDING_AGE, "Journal") == 0
        second.ask("drop j")
        second.stop()
        first.ask("many 2")
        hub.look()
        assert (value(hub, PROCESSES, "runs"), value(hub, PROCESSES, "stopped")) == (1, 1)
        assert value(hub, NEVER_CLOSED, "Journal") == 1
        assert value(hub, BORN, "TodoItem") == 10
        second.send_signal(signal.SIGKILL)
        second.process.wait()
        first.ask("many 1")
        assert first.finish() == 0
        hub.look()
        assert value(hub, ENDED, "killed") == value(hub, ENDED, "exited") == 1
        assert value(hub, BORN, "TodoItem") == 11
        assert value(hub, LIVE, "TodoItem") is None
        third = started(stack)
        third.ask("many 4")
        hub.look()
        assert (value(hub, BORN, "TodoItem"), value(hub, LIVE, "TodoItem")) == (15, 4)
        assert value(hub, NEVER_CLOSED, "Journal") == 1
        assert value(hub, CLOSED, "Journal") == 0


def test_a_look_leaves_the_process_as_it_is(hub: MetricsHub) -> None:
    with ExitStack() as stack:
        target = started(stack)
        descriptors = len(list(Path(f"/proc/{target.pid}/fd").iterdir()))
        threads = len(list(Path(f"/proc/{target.pid}/task").iterdir()))
        for _ in range(3):
            hub.look()
        assert len(list(Path(f"/proc/{target.pid}/fd").iterdir())) == descriptors
        assert len(list(Path(f"/proc/{target.pid}/task").iterdir())) == threads


def test_a_leak_has_a_finding_and_the_line_that_makes_it(hub: MetricsHub, clock: Clock) -> None:
    with ExitStack() as stack:
        target = started(stack, "stacks")
        hub.look()
        for _ in range(12):
            target.ask("many 4")
            clock.at += 60
            hub.look()
        assert value(hub, FINDINGS, "TodoItem", "leak-suspect") == 1
        assert hub.published is not None
        (site,) = [each for each in hub.published.values if each.family is SUSPECT_HANDLES]
        assert site.labels[:5] == (*SERVICE, "TodoItem", "leak-suspect")
        assert site.labels[5].startswith("todo.py:")
        assert hub.published.values[site] == 48


def test_a_damaged_segment_is_counted_and_the_rest_is_read(hub: MetricsHub, tmp_path: Path) -> None:
    with ExitStack() as stack:
        target = started(stack)
        target.ask("many 2")
        folder = next(tmp_path.glob("arc-inspector-*"))
        (folder / "1-1.seg").write_bytes(b"no segment")
        hub.look()
        assert hub.published is not None
        assert hub.published.values[Series(UNREADABLE, ())] == 1
        assert value(hub, LIVE, "TodoItem") == 2


def test_prometheus_scrapes_until_a_signal_ends_the_command(tmp_path: Path) -> None:
    with ExitStack() as stack:
        target = started(stack)
        target.ask("many 2")
        words = command_line(
            "metrics", "--listen", "127.0.0.1:0", "--otlp", "http://127.0.0.1:1", "--every", "1s"
        )
        exporter = stack.enter_context(
            subprocess.Popen(words, env=command_environment(), stderr=subprocess.PIPE, text=True)
        )
        assert exporter.stderr is not None
        url = exporter.stderr.readline().removeprefix("metrics at ").strip()
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own
            text = answer.read().decode()
        assert (
            'arc_handles_live{program="todo.py",service="shop",type="TodoItem",version="1.4"} 2.0'
            in text.splitlines()
        )
        assert "arc_exporter_process_resident_memory_bytes" in text
        exporter.send_signal(signal.SIGTERM)
        assert exporter.wait() == 0
        said = exporter.stderr.read()
        assert "Traceback" not in said
