"""A state machine as a lane of steps: passed steps, the present step, later steps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector.model.states import RESOURCE_WORDS
from inspector.ui.kit.theme import Theme, ui_font
from inspector.vocabulary import Reference, Resource


@dataclass(frozen=True, slots=True)
class Lane:
    """Steps of one state machine."""

    name: str
    steps: tuple[str, ...]
    reached: int
    """Index of the step that is now; -1: none."""
    tint: str = "text"
    """Colour of the step reached."""


def reference_lane(reference: int) -> Lane:
    """``live ─ release requested ─ released ─ dropped``."""
    steps = ("live", "releasing", "released", "dropped")
    order = (Reference.LIVE, Reference.RELEASE_REQUESTED, Reference.RELEASED, Reference.DROPPED)
    reached = order.index(Reference(reference)) if reference in order else -1
    return Lane("Reference", steps, reached, ("live", "waiting", "unknown", "unknown")[reached])


def resource_lane(resource: int) -> Lane | None:
    """``open ─ asked ─ draining ─ closed``.

    ``None`` when the type has no resource, unless a panic poisoned the object.
    """
    if resource == Resource.NONE:
        return None
    if resource == Resource.FREED:
        return Lane("Resource", (RESOURCE_WORDS[Resource.FREED],), 0, "alarm")
    waits = (
        "waits owner"
        if resource == Resource.WAITING_OWNER
        else "closing"
        if resource == Resource.CLOSING
        else "draining"
    )
    ends = {
        Resource.CLOSE_FAILED: "failed",
        Resource.NEVER_CLOSED: "never closed",
        Resource.POISONED: "poisoned",
    }
    ends[Resource.UNKNOWN] = "unknown"
    last = ends.get(Resource(resource), "closed")
    reached = {
        Resource.OPEN: 0,
        Resource.CLOSE_REQUESTED: 1,
        Resource.DRAINING: 2,
        Resource.WAITING_OWNER: 2,
        Resource.CLOSING: 2,
    }
    step = reached.get(Resource(resource), 3)
    tint = (
        "live"
        if step == 0
        else "waiting"
        if step < 3
        else "unknown"
        if resource in (Resource.CLOSED, Resource.UNKNOWN)
        else "alarm"
    )
    return Lane("Resource", ("open", "asked", waits, last), step, tint)


class StateLane(QWidget):
    """Paints a ``Lane``."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self._lane = Lane("", (), -1)
        self.setFont(ui_font())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def show_lane(self, lane: Lane | None) -> None:
        """Paint this lane; ``None`` hides the widget."""
        self.setVisible(lane is not None)
        if lane is None:
            return
        self._lane = lane
        now = lane.steps[lane.reached] if lane.reached >= 0 else "not known"
        self.setAccessibleName(f"{lane.name}: {now}")
        self.setToolTip(
            f"{lane.name}: "
            + " → ".join(f"[{s}]" if i == lane.reached else s for i, s in enumerate(lane.steps))
        )
        self.update()

    def sizeHint(self) -> QSize:
        """A line of dots and a line of words."""
        return QSize(280, 20 + self.fontMetrics().height() + 6)

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``, narrower."""
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dots on a line, words below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        steps = self._lane.steps
        if not steps:
            return
        width = self.width() / len(steps)
        middle = 10.0
        ends = [QPointF(width * (i + 0.5), middle) for i in (0, len(steps) - 1)]
        painter.setPen(QPen(self._theme.color("line"), 2))
        painter.drawLine(*ends)
        for place, step in enumerate(steps):
            self._paint_step(painter, place, step, QRectF(width * place, 0, width, self.height()))

    def _paint_step(self, painter: QPainter, place: int, step: str, area: QRectF) -> None:
        now = place == self._lane.reached
        color = self._theme.color(
            self._lane.tint if now else "unknown" if place < self._lane.reached else "line"
        )
        center = QPointF(area.center().x(), 10.0)
        painter.setPen(QPen(color, 2))
        painter.setBrush(
            color if now or place < self._lane.reached else self._theme.color("surface")
        )
        painter.drawEllipse(center, 5 if now else 3.5, 5 if now else 3.5)
        painter.setFont(ui_font(bold=now))
        painter.setPen(self._theme.color(self._lane.tint if now else "text_quiet"))
        words = QRectF(area.left(), 20, area.width(), self.fontMetrics().height() + 4)
        shown = painter.fontMetrics().elidedText(
            step, Qt.TextElideMode.ElideRight, int(area.width())
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, shown)
