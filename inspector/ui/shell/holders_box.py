"""The holders of a resource, a line each.

They are the holders in the target's answer, and the Python objects that hold its proxy.

GUI thread.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from inspector.model.holders import Retainers
from inspector.session.protocol import CloseAnswer
from inspector.ui.kit.labels import plain_label, section_label
from inspector.vocabulary import handle_text

HEIGHT: Final = 104
NONE_FOUND: Final = (
    "Nothing in Python holds its proxy: a running call may, or native code that "
    "keeps Python references"
)


class HoldersBox(QWidget):
    """Hidden until there is a holder to name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """There is no holder yet."""
        super().__init__(parent)
        self._answer: CloseAnswer | None = None
        self._retainers: dict[int, Retainers] = {}
        self._trouble = ""
        self.title = section_label("")
        self.text = plain_label("")
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        area = QScrollArea()
        area.setAccessibleName("Who holds it")
        area.setWidgetResizable(True)
        area.setWidget(self._padded(self.text))
        area.setFixedHeight(HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(area)
        self.hide()

    def show_answer(self, answer: CloseAnswer) -> bool:
        """The holders of this resource.

        True when its Python holders are not known yet and worth asking for.
        """
        self._answer, self._trouble = answer, ""
        self.title.setText(f"Who holds {handle_text(answer.handle)}")
        self.text.setAccessibleName(self.title.text())
        self._write()
        self.show()
        return answer.handle not in self._retainers

    def show_retainers(self, handle: int, found: Retainers) -> None:
        """The answer to the question; kept, so that it is asked once."""
        self._retainers[handle] = found
        self._write()

    def show_trouble(self, handle: int, why: str) -> None:
        """It could not be found out."""
        if self._answer is not None and self._answer.handle == handle:
            self._trouble = why
            self._write()

    def clear(self) -> None:
        """No resource is chosen."""
        self._answer = None
        self.hide()

    def _write(self) -> None:
        if self._answer is None:
            return
        known = self._retainers.get(self._answer.handle)
        lines = list(self._answer.holders) or ["No other handle, call or native reference"]
        if known is None:
            lines.append(self._trouble or "Asking which Python objects hold its proxy …")
        else:
            lines += retainer_lines(known)
        self.text.setText("\n".join(lines))

    def _padded(self, label: QLabel) -> QWidget:
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(label)
        return inner


def retainer_lines(found: Retainers) -> list[str]:
    """A line for each holder of the proxy, from its root down.

    It has the words of the detail's search.
    """
    if not found.paths and not found.unseen:
        return [NONE_FOUND]
    lines = [
        (
            f"Python holds its proxy{'' if path.is_rooted else ', no root found'}: "
            f"{' → '.join(step.text for step in path.steps)}"
        )
        for path in found.paths
    ]
    lines += [f"Held by {each.line()}, unknown to the collector" for each in found.unseen]
    more = found.holders - len(found.paths)
    return [*lines, f"and {more:,} more holders"] if more > 0 else lines
