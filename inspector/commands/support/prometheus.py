"""Metrics for Prometheus. Imported by ``metrics`` alone: ``prometheus_client`` is optional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from inspector.commands.support.addresses import Address
from inspector.commands.support.metrics_hub import Published
from inspector.errors import InspectorError
from inspector.model.metrics.families import FAMILIES
from inspector.model.metrics.totals import by_family


class HostCollector(Collector):
    """Gives a registry the newest values; any thread."""

    def __init__(self, newest: Callable[[], Published | None]) -> None:
        """``newest`` does not wait."""
        self._newest = newest

    def describe(self) -> list[Metric]:
        """The names are not looked up: a look is no work of the registry."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric that has a value, in the order of ``FAMILIES``."""
        published = self._newest()
        grouped = by_family(published.values) if published is not None else {}
        for family in FAMILIES:
            if family in grouped:
                kind = CounterMetricFamily if family.is_counter else GaugeMetricFamily
                metric = kind(family.name, family.about, labels=family.labels)
                for labels, value in sorted(grouped[family].items()):
                    metric.add_metric(labels, value)
                yield metric


def registry_of(newest: Callable[[], Published | None]) -> CollectorRegistry:
    """The metrics of the host, and the exporter's own CPU time and memory."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HostCollector(newest))
    ProcessCollector(registry=registry, namespace="arc_exporter")
    return registry


def exposition(newest: Callable[[], Published | None]) -> str:
    """The text that a scrape gets."""
    return generate_latest(registry_of(newest)).decode()


def serve(address: Address, newest: Callable[[], Published | None]) -> Any:
    """Answer scrapes on threads of their own; the server, to ``shutdown``.

    Raises ``InspectorError`` when the address cannot be had.
    """
    try:
        server, _ = start_http_server(address.port, address.host, registry_of(newest))
    except OSError as error:
        raise InspectorError(f"cannot listen: {error.strerror or error}: {address}") from error
    return server
