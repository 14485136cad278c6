"""Metrics sent to an OpenTelemetry collector, with the real SDK over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from inspector.commands.support.metrics_hub import MetricsHub, Published
from inspector.commands.support.otlp import Pusher
from inspector.model.metrics.families import BORN, LIVE, LOOKED_AT, Series

LABELS = ("shop", "1.4", "app.py", "TodoItem")
PUBLISHED = Published(
    {Series(LIVE, LABELS): 5, Series(BORN, LABELS): 9, Series(LOOKED_AT, ()): 20.0}, 10.0, 20.0
)
PATIENCE_SECS = 60.0


class Collector(HTTPServer):
    """Takes pushes, or refuses them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: SimpleQueue[ExportMetricsServiceRequest] = SimpleQueue()
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/metrics"


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.got.put(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def attributes(found: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in found}


def test_a_service_is_a_resource_with_its_types(collector: Collector) -> None:
    pusher = Pusher(collector.url, MetricsHub())
    try:
        pusher.push(PUBLISHED)
        request = collector.got.get(timeout=PATIENCE_SECS)
    finally:
        pusher.end()
    service, exporter = request.resource_metrics
    assert attributes(service.resource.attributes) == {
        "service.name": "shop",
        "service.version": "1.4",
    }
    metrics = {each.name: each for each in service.scope_metrics[0].metrics}
    assert metrics.keys() == {"arc.handles.live", "arc.handles.born"}
    (live,) = metrics["arc.handles.live"].gauge.data_points
    assert (live.as_int, attributes(live.attributes)) == (
        5,
        {"program": "app.py", "type": "TodoItem"},
    )
    born = metrics["arc.handles.born"].sum
    assert (born.is_monotonic, born.data_points[0].start_time_unix_nano) == (True, 10 * 10**9)
    assert attributes(exporter.resource.attributes) == {"service.name": "arc-inspector"}


def test_a_collector_that_refuses_is_one_line_and_one_when_it_takes_again(
    collector: Collector,
) -> None:
    said: SimpleQueue[str] = SimpleQueue()
    complained: list[str] = []
    hub = MetricsHub()

    def complain(line: str) -> None:
        complained.append(line)
        said.put(line)

    collector.status = 400
    pusher = Pusher(collector.url, hub, say=said.put, complain=complain)
    try:
        pusher.push(PUBLISHED)
        line = said.get(timeout=PATIENCE_SECS)
        assert line.startswith("metrics are not taken, and are sent again: ")
        assert line.endswith(f": {collector.url}")
        assert hub.pushes_failed == 1
        collector.status = 200
        pusher.push(PUBLISHED)
        assert said.get(timeout=PATIENCE_SECS) == f"metrics are taken again: {collector.url}"
        assert len(complained) == 1
    finally:
        pusher.end()
