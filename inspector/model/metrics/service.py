"""The service that a process belongs to, by its environment. Pure; any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from inspector.plain_text import one_line

NAME_VARIABLE: Final = "OTEL_SERVICE_NAME"
ATTRIBUTES_VARIABLE: Final = "OTEL_RESOURCE_ATTRIBUTES"
LONGEST: Final = 128
"""Characters of a label's value; more are cut off."""


@dataclass(frozen=True, slots=True)
class Service:
    """The labels of a process; ``""``: not known."""

    name: str
    version: str
    program: str

    @property
    def labels(self) -> tuple[str, str, str]:
        """The values, in the order of ``families.PROCESS``."""
        return self.name, self.version, self.program


def service_of(environment: Mapping[str, str], program: str) -> Service:
    """The service that the environment names, as OpenTelemetry reads it.

    ``OTEL_SERVICE_NAME`` goes before ``service.name`` of the attributes.
    """
    attributes = resource_attributes(environment.get(ATTRIBUTES_VARIABLE, ""))
    name = environment.get(NAME_VARIABLE, "").strip() or attributes.get("service.name", "")
    return Service(label(name), label(attributes.get("service.version", "")), label(program))


def resource_attributes(text: str) -> dict[str, str]:
    """``key=value,…`` with percent-encoded values; a part that is no pair is left out."""
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): unquote(value.strip()) for key, sign, value in pairs if sign}


def label(text: str) -> str:
    """Text of a target as the value of a label: one printable line of bounded length."""
    return one_line(text)[:LONGEST]
