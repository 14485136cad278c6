"""One line on a library whose classes are not followed, with the button. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from inspector.model.findings.leads import Lead
from inspector.ui.kit.labels import ElidedLabel, plain_tip

FOLLOW = "follow ▸"


class LeadLine(QWidget):
    """Hidden while nothing is known to be left out."""

    follow_wanted = Signal(str)
    """The module whose classes are to be followed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Nothing is known yet."""
        super().__init__(parent)
        self._module = ""
        self._text = ElidedLabel()
        self._text.setObjectName("Not followed")
        self._button = QPushButton(FOLLOW)
        self._button.setProperty("flat", True)
        self._button.setCursor(Qt.CursorShape.PointingHandCursor)
        self._button.setAccessibleName("Follow the library")
        self._button.clicked.connect(lambda: self.follow_wanted.emit(self._module))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._button)

    def show_lead(self, lead: Lead, *, can_follow: bool) -> None:
        """Name the first library; the tip names all of them."""
        first = lead.first
        self._module = first.module if first is not None else ""
        self._text.set_whole(lead.headline)
        self.setToolTip(plain_tip("\n".join((lead.headline, *lead.evidence))))
        self._button.setToolTip(f"Follow every class of {self._module} from now on")
        self._button.setVisible(bool(self._module) and can_follow)
