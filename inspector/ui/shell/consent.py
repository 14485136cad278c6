"""Questions before a process is attached: to load an agent, to run declared code. GUI thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from inspector.ui.session.connector import Connector, ProcessRow


def ask_consent(
    page: QWidget, connector: Connector, row: ProcessRow, bring: Callable[[], None]
) -> None:
    """Describe the effect of loading an agent; only the button that names it calls ``bring``."""
    box = QMessageBox(
        QMessageBox.Icon.Question, "Load the agent", f"Attach to {row.name}?", parent=page
    )
    box.setObjectName("consent")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(row.consent)
    agreed = box.addButton("Load and attach", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.finished.connect(
        lambda _result: (
            ask_declared(page, connector, row, bring) if box.clickedButton() is agreed else None
        )
    )
    box.open()


def ask_declared(
    page: QWidget, connector: Connector, row: ProcessRow, go_on: Callable[[], None]
) -> None:
    """Ask once whether the program may run the code of the person's declarations.

    Without consent it is attached all the same.
    """
    if not row.declares:
        go_on()
        return
    box = QMessageBox(
        QMessageBox.Icon.Question,
        "Follow your declarations",
        "Let the program run the code that you declared?",
        parent=page,
    )
    box.setObjectName("declarations")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(row.declares)
    agreed = box.addButton("Agree and attach", QMessageBox.ButtonRole.AcceptRole)
    without = box.addButton("Attach without them", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def answered() -> None:
        if box.clickedButton() is agreed:
            connector.agree_to_declarations()
        if box.clickedButton() in (agreed, without):
            go_on()

    box.finished.connect(lambda _result: answered())
    box.open()
