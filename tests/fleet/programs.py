"""Programs that a test runs beside it, and waiting for their answers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ENVIRONMENT: Final = {
    "OTEL_SERVICE_NAME": "shop",
    "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.5",
}
"""The environment of the targets, which names their service."""
PATIENCE_SECS: Final = 180.0


@contextmanager
def running(command: list[str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose output goes into a file; it is ended afterwards."""
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, **more) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def waited(what: Callable[[], Any], meanwhile: Callable[[], Any] = lambda: None) -> Any:
    """The first answer that is not empty."""
    until = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < until:
        try:
            found = what()
        except OSError:
            found = None
        if found:
            return found
        meanwhile()
        time.sleep(0.2)
    raise AssertionError(f"nothing came in time; the last answer was {found!r}")


def asked(base: str, path: str, **words: str) -> Any:
    """The data of an answer of Prometheus."""
    named = urllib.parse.urlencode(
        {name.replace("match", "match[]"): words[name] for name in words}
    )
    with urllib.request.urlopen(f"{base}/{path}?{named}") as answer:  # noqa: S310 - our own
        return json.load(answer)["data"]


class NoNodeError(OSError):
    """Trino has started and has not found its own node yet."""


def has_started(base: str) -> bool:
    """Whether a server of Trino takes queries."""
    with urllib.request.urlopen(f"{base}/v1/info") as answer:  # noqa: S310 - our own
        return not json.load(answer)["starting"]


def trino_rows(base: str, sql: str) -> list[list[Any]]:
    """The rows of an answer of Trino, page by page."""
    headers: Mapping[str, str] = {
        "X-Trino-User": "fleet",
        "X-Trino-Catalog": "lake",
        "X-Trino-Schema": "arc",
    }
    request: Any = urllib.request.Request(  # noqa: S310 - our own
        f"{base}/v1/statement", data=sql.encode(), headers=dict(headers)
    )
    rows: list[list[Any]] = []
    while request:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own
            page = json.load(answer)
        failure = page.get("error", {}).get("message", "")
        if failure.startswith("No nodes available"):
            raise NoNodeError(failure)
        assert not failure, failure
        rows += page.get("data", [])
        request = page.get("nextUri")
    return rows
