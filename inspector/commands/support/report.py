"""The report of ``doctor --report``: what support needs to know, without private parts."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from inspector.commands.app import version_line
from inspector.commands.support.output import SCHEMA, json_text
from inspector.commands.support.redacting import print_preview, say_saved
from inspector.commands.support.saving import save_text
from inspector.model.redaction import Kept, Redactor
from inspector.session.private_facts import private_facts

PACKAGES: Final = (
    "cffi",
    "duckdb",
    "numpy",
    "psutil",
    "pyqtgraph",
    "PySide6-Essentials",
    "pystack",
    "rich",
    "textual",
    "typer",
)


def preview_report(answer: Mapping[str, Any], pid: int | None, kept: Kept) -> None:
    """Print the private parts that the report would leave out."""
    redactor = Redactor(private_facts(pid), kept)
    redactor.json(_facts(answer))
    print_preview(redactor)


def write_report(
    path: Path, answer: Mapping[str, Any], pid: int | None, *, kept: Kept, may_replace: bool
) -> None:
    """Write the answer of ``doctor`` with versions. Raises ``InspectorError``."""
    redactor = Redactor(private_facts(pid), kept)
    save_text(json_text(redactor.json(_facts(answer))), path, may_replace=may_replace)
    say_saved(path, redactor)


def _facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": version_line(),
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
        "packages": {name: _version(name) for name in PACKAGES},
        "doctor": answer,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
