"""Wrong use of ``metrics`` is one line."""

from __future__ import annotations

import socket

import pytest

from inspector.commands.app import run
from inspector.commands.support.addresses import Address, checked_url, parse_address
from inspector.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:9464", Address("127.0.0.1", 9464)), ("[::1]:0", Address("::1", 0))],
)
def test_an_address_is_host_and_port(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "9464", ":9464", "host:", "host:x", "host:70000", "::1:9"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["collector:4318", "ftp://x", "http://", "http://x:99999", "http://a\nb"]
)
def test_a_url_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        checked_url(text)


def test_a_url_without_a_path_gets_the_usual_one() -> None:
    assert checked_url("http://c:4318") == "http://c:4318/v1/metrics"
    assert checked_url("http://c:4318/v1/metrics") == "http://c:4318/v1/metrics"


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run(["metrics", "--listen", address]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"arc-inspector: cannot listen: Address already in use: {address}\n"
