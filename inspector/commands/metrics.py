"""``arc-inspector metrics``: all processes of this host, for Prometheus and OpenTelemetry."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Final

import typer

from inspector.attach.linux import require_support
from inspector.commands.support.addresses import checked_url, parse_address
from inspector.commands.support.metrics_hub import MetricsHub
from inspector.commands.support.options import parse_span
from inspector.commands.support.output import say_aside, write_text
from inspector.errors import InspectorError
from inspector.model.metrics.totals import MOST_SETS

if TYPE_CHECKING:
    from inspector.commands.support.otlp import Pusher

NEEDED: Final = ("prometheus_client", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def metrics(
    listen: Annotated[
        str,
        typer.Option(
            "--listen", metavar="HOST:PORT", help="Answer Prometheus here: 127.0.0.1:9464."
        ),
    ] = "",
    otlp: Annotated[
        str, typer.Option("--otlp", metavar="URL", help="Send to an OpenTelemetry collector.")
    ] = "",
    every: Annotated[
        str, typer.Option("--every", metavar="SPAN", help="From one look to the next.")
    ] = "10s",
    most_sets: Annotated[
        int, typer.Option("--label-sets", min=1, help="Label sets of one metric at most.")
    ] = MOST_SETS,
) -> None:
    """Expose the handles of all processes of this host as metrics.

    Only the segments of processes are read; nothing is asked of a process. Without --listen and
    --otlp the metrics are printed once.
    """
    require_support()
    every_secs = parse_span(every)
    address = parse_address(listen) if listen else None
    url = checked_url(otlp) if otlp else ""
    _require_packages()
    with ExitStack() as stack:
        hub = MetricsHub(most_sets=most_sets)
        stack.callback(hub.close)
        hub.look()
        if address is None and not url:
            from inspector.commands.support.prometheus import exposition

            write_text(exposition(lambda: hub.published))
            return
        if address is not None:
            from inspector.commands.support.prometheus import serve

            server = serve(address, lambda: hub.published)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            host, port = server.server_address[:2]
            say_aside(f"metrics at http://{type(address)(str(host), int(port))}/metrics")
        with suppress(KeyboardInterrupt):  # a signal is the usual end
            _follow(hub, _pusher(stack, url, hub), every_secs)


def _pusher(stack: ExitStack, url: str, hub: MetricsHub) -> Pusher | None:
    if not url:
        return None
    from inspector.commands.support.otlp import Pusher

    pusher = Pusher(url, hub)
    stack.callback(pusher.end)
    say_aside(f"metrics go to {url}")
    return pusher


def _follow(hub: MetricsHub, pusher: Pusher | None, every_secs: float) -> None:
    """Look again and again, until a signal ends the command."""
    waiting = threading.Event()
    while True:
        published = hub.published
        if pusher is not None and published is not None:
            pusher.push(published)
        waiting.wait(every_secs)
        hub.look()


def _require_packages() -> None:
    """Raise ``InspectorError`` where the optional packages are not installed."""
    for name in NEEDED:
        try:
            is_there = find_spec(name) is not None
        except ModuleNotFoundError:  # a parent of the package is missing
            is_there = False
        if not is_there:
            raise InspectorError(
                f"metrics needs the package {name}: pip install 'arc-inspector[metrics]'"
            )
