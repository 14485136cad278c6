"""The alert rules and the dashboard name only metrics and labels that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from inspector.model.metrics.families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "docs" / "fleet.md", *sorted((ROOT / "resources" / "fleet").iterdir())]
NAMES = {family.exposed_name for family in FAMILIES}
LABELS = {label for family in FAMILIES for label in family.labels}
OF_THE_EXPORTER = "arc_exporter_process_"
"""Metrics that ``prometheus_client`` makes of the exporter's own process."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_metric_of_a_file_exists(path: Path) -> None:
    words = set(re.findall(r"\barc_[a-z_]+", path.read_text(encoding="utf-8")))
    assert words
    assert {each for each in words if not each.startswith(OF_THE_EXPORTER)} <= NAMES


@pytest.mark.parametrize("path", FILES[1:], ids=lambda path: path.name)
def test_every_label_of_a_file_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    grouped = re.findall(r"by \(([a-z_, ]+)\)", text)
    labels = {each.strip() for group in grouped for each in group.split(",")}
    labels |= set(re.findall(r"\$labels\.(\w+)", text)) | set(re.findall(r"\{\{(\w+)\}\}", text))
    assert labels
    assert labels <= LABELS


def test_the_dashboard_is_json_with_one_query_or_more_a_panel() -> None:
    value = json.loads((ROOT / "resources" / "fleet" / "dashboard.json").read_text())
    assert len({panel["id"] for panel in value["panels"]}) == len(value["panels"])
    assert all(panel["targets"] for panel in value["panels"])


def test_names_are_distinct() -> None:
    assert len(NAMES) == len(FAMILIES)
    assert len({family.dotted_name for family in FAMILIES}) == len(FAMILIES)
