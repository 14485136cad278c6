"""Addresses of the command line: ``HOST:PORT`` to listen at, and URLs to send to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from inspector.errors import UsageError

MOST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port. Port 0: a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """``127.0.0.1:9464``, ``[::1]:9464``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``HOST:PORT``, an IPv6 address in brackets. Raises ``UsageError``."""
    host, colon, port = text.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    is_bracketed = host != bare
    if not colon or not bare or not port.isdecimal() or (":" in bare) != is_bracketed:
        raise UsageError(f"an address to listen at is written HOST:PORT, [::1]:PORT: {text}")
    if int(port) > MOST_PORT:
        raise UsageError(f"a port is at most {MOST_PORT}: {text}")
    return Address(bare, int(port))


def checked_url(text: str) -> str:
    """An address that metrics are sent to. Raises ``UsageError``."""
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not text.isprintable():
        raise UsageError(f"a collector's URL is written http://HOST:4318/v1/metrics: {text}")
    return text if parts.path.strip("/") else f"{text.rstrip('/')}/v1/metrics"
