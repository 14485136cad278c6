from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from inspector.ui.kit.theme import LIGHT
from inspector.ui.shell.vital_cell import VitalCell
from inspector.ui.shell.vital_signs import VitalSigns
from tests.helpers.reading import part
from tests.helpers.widget_life import what_is_left


def test_a_part_that_is_still_referred_to_is_left(qapp: Any) -> None:
    strip: list[QWidget] = [VitalSigns(LIGHT)]
    kept = part(strip[0], "Born", VitalCell)
    assert "VitalCell" in what_is_left(strip)
    del kept
