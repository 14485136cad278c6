"""Metrics for an OpenTelemetry collector. Imported by ``metrics`` alone: the SDK is optional.

Each service is a resource of its own, with ``service.name`` and ``service.version``.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from inspector.commands.support.metrics_hub import MetricsHub, Published
from inspector.commands.support.output import print_error, say_aside
from inspector.model.clock import NANOS_PER_SEC
from inspector.model.metrics.families import Family, Series
from inspector.plain_text import one_line

SCOPE: Final = "arc-inspector"
UNITS: Final = {"seconds": "s", "": "1"}
RESOURCE_LABELS: Final = {"service": "service.name", "version": "service.version"}
"""Labels that name the resource, and their names there."""
PUSH_SECS: Final = 10.0
"""How long one push may take, with its retries."""

Named = tuple[tuple[str, str], ...]
"""Attributes of a resource."""


def metrics_data(published: Published) -> MetricsData:
    """The values of a look as OpenTelemetry has them."""
    resources: dict[Named, dict[Family, list[NumberDataPoint]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for series, value in published.values.items():
        pairs = dict(zip(series.family.labels, series.labels, strict=True))
        named = tuple(
            (key, pairs.pop(label))
            for label, key in RESOURCE_LABELS.items()
            if label in series.family.labels
        )
        resources[named][series.family].append(_point(published, series, pairs, value))
    return MetricsData([_resource(named, found) for named, found in resources.items()])


def _point(
    published: Published, series: Series, labels: dict[str, str], value: float
) -> NumberDataPoint:
    began_at = published.began_at if series.family.is_counter else published.at
    return NumberDataPoint(
        attributes=dict(labels),
        start_time_unix_nano=int(began_at * NANOS_PER_SEC),
        time_unix_nano=int(published.at * NANOS_PER_SEC),
        value=value,
    )


def _resource(named: Named, found: dict[Family, list[NumberDataPoint]]) -> ResourceMetrics:
    attributes = {key: value for key, value in named if value} or (
        {} if named else {"service.name": SCOPE}
    )
    scope = InstrumentationScope(SCOPE)
    metrics = [_metric(family, points) for family, points in found.items()]
    return ResourceMetrics(Resource(attributes), [ScopeMetrics(scope, metrics, "")], "")


def _metric(family: Family, points: Iterable[NumberDataPoint]) -> Metric:
    cumulative = AggregationTemporality.CUMULATIVE
    data: Sum | Gauge = (
        Sum(list(points), aggregation_temporality=cumulative, is_monotonic=True)
        if family.is_counter
        else Gauge(list(points))
    )
    return Metric(family.dotted_name, family.about, UNITS[family.unit], data)


class Pusher:
    """Sends the newest values on a thread of its own. The looks never wait for a collector.

    A collector that cannot be reached is one line on stderr, and one when it answers again.
    """

    def __init__(
        self,
        url: str,
        hub: MetricsHub,
        exporter: MetricExporter | None = None,
        say: Callable[[str], None] = say_aside,
        complain: Callable[[str], None] = print_error,
    ) -> None:
        """Nothing is sent before ``push``."""
        self._url, self._hub, self._say, self._complain = url, hub, say, complain
        self._reasons = _Reasons()
        self._exporter = exporter or OTLPMetricExporter(endpoint=url, timeout=PUSH_SECS)
        self._is_failing = False
        self._is_ending = False
        self._wake = threading.Condition()
        self._waiting: Published | None = None
        self._thread = threading.Thread(target=self._run, name="pusher", daemon=True)
        self._thread.start()

    def push(self, published: Published) -> None:
        """Send these values; older ones that still wait are left out."""
        with self._wake:
            self._waiting = published
            self._wake.notify_all()

    def end(self) -> None:
        """Send no more. A push under way is given up."""
        with self._wake:
            self._is_ending = True
            self._wake.notify_all()
        self._exporter.shutdown()
        self._thread.join(PUSH_SECS)
        self._reasons.leave()

    def _run(self) -> None:
        while (published := self._next()) is not None:
            self._send(published)

    def _next(self) -> Published | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting is not None or self._is_ending)
            published, self._waiting = self._waiting, None
            return None if self._is_ending else published

    def _send(self, published: Published) -> None:
        self._reasons.newest = ""
        try:
            is_sent = self._exporter.export(metrics_data(published)) is MetricExportResult.SUCCESS
        except Exception as error:  # the SDK raises errors of its transport
            is_sent, self._reasons.newest = False, str(error)
        if self._is_ending:
            return
        if not is_sent:
            self._hub.pushes_failed += 1
        if not is_sent and not self._is_failing:
            reason = one_line(self._reasons.newest)[:200] or "no reason was given"
            self._complain(f"metrics are not taken, and are sent again: {reason}: {self._url}")
        if is_sent and self._is_failing:
            self._say(f"metrics are taken again: {self._url}")
        self._is_failing = not is_sent


class _Reasons(logging.Handler):
    """Keeps the SDK's newest warning, which would be written on stderr otherwise."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.newest = ""
        self._logger = logging.getLogger("opentelemetry")
        self._propagated, self._logger.propagate = self._logger.propagate, False
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.newest = record.getMessage()

    def leave(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagated
