"""The table of records: its columns in the room there is."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.model.pending import pending_closes
from inspector.ui.kit.live_records import Moment
from inspector.ui.kit.record_table import RecordTable, TableShape
from inspector.ui.kit.theme import LIGHT
from inspector.ui.panes.pending.model import pending_model
from tests.helpers.snapshots import snapshot_of

WIDTHS = (80, 80, 80, 200, 80, 80, 100, 80)
REASON, ASKED_BY = 3, 6


def table_of(qtbot: QtBot, widths: tuple[int, ...], room: int = 900) -> RecordTable:
    model = pending_model(LIGHT, Moment())
    table = RecordTable(
        LIGHT,
        model,
        TableShape(name="Test", widths=widths, spare=(ASKED_BY,), elastic=(ASKED_BY, REASON)),
    )
    model.setParent(table)
    model.set_rows(pending_closes(snapshot_of()))
    qtbot.addWidget(table)
    table.show()
    table.resize(room + table.width() - table.viewport().width(), 200)
    QApplication.processEvents()
    return table


@pytest.mark.parametrize(
    ("room", "asked_by", "reason"),
    [
        (780, 100, 200),
        (820, 140, 200),
        (850, 150, 220),
        (2000, 150, 300),
        (700, 0, 220),
        (500, 0, 200),
    ],
)
def test_what_room_is_left_goes_to_the_elastic_columns_in_their_order(
    qtbot: QtBot, room: int, asked_by: int, reason: int
) -> None:
    table = table_of(qtbot, WIDTHS, room)
    assert (table.columnWidth(ASKED_BY), table.columnWidth(REASON)) == (asked_by, reason)


def test_room_that_was_taken_is_given_back(qtbot: QtBot) -> None:
    table = table_of(qtbot, WIDTHS, 2000)
    table.resize(table.width() - 2000 + 780, 200)
    assert (table.columnWidth(ASKED_BY), table.columnWidth(REASON)) == (100, 200)


def test_a_column_without_a_width_is_a_defect(qtbot: QtBot) -> None:
    with pytest.raises(ValueError, match="zip"):
        table_of(qtbot, WIDTHS[:-1])
