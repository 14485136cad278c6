"""The service of a process, by its environment."""

from __future__ import annotations

import pytest

from inspector.model.metrics.service import LONGEST, Service, service_of

ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("", "")),
        ({"OTEL_SERVICE_NAME": "shop"}, ("shop", "")),
        ({ATTRIBUTES: "service.name=shop,service.version=1.4%2Brc"}, ("shop", "1.4+rc")),
        ({"OTEL_SERVICE_NAME": "a", ATTRIBUTES: "service.name=b, service.version = 2"}, ("a", "2")),
        ({ATTRIBUTES: "no pair,,=,service.version=%zz"}, ("", "%zz")),
        ({"OTEL_SERVICE_NAME": "a\x1b[31m\nb"}, ("a\ufffd[31m b", "")),
    ],
)
def test_the_environment_names_the_service(
    environment: dict[str, str], expected: tuple[str, str]
) -> None:
    assert service_of(environment, "app.py") == Service(*expected, "app.py")


def test_a_label_has_a_bounded_length() -> None:
    assert len(service_of({"OTEL_SERVICE_NAME": "x" * 10_000}, "").name) == LONGEST
