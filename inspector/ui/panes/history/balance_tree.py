"""The balance as a tree: call sites with their net, callers below. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from inspector.model.balance import Balance, BalanceNode
from inspector.ui.kit.labels import quiet_label, tip
from inspector.ui.kit.theme import Theme, ui_font

MOST_SITES: Final = 200
"""Call sites that are listed; a person reads no more."""
BALANCED: Final = "Every clone has its release"
NOTHING: Final = "Call sites that counted up and never down appear here"
_PLACE: Final = Qt.ItemDataRole.UserRole


class BalanceTree(QWidget):
    """Open branches stay open when a newer balance is shown."""

    line_wanted = Signal(str, int)
    """A file and a line of it: a call site was double clicked."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self._balance: Balance | None = None
        self.message: QLabel = quiet_label(NOTHING)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setWordWrap(True)
        self.tree = QTreeWidget()
        self.tree.setFont(ui_font())
        self.tree.setColumnCount(2)
        self.tree.setHeaderLabels(["Net", "Call site, callers below"])
        self.tree.setAccessibleName("Balance of clones and releases")
        self.tree.setUniformRowHeights(True)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.itemActivated.connect(self._activate)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.message)
        self._stack.addWidget(self.tree)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.show_balance(self._balance, force=True)

    def show_balance(self, balance: Balance | None, *, force: bool = False) -> None:
        """List this balance; ``None``: there is none yet."""
        if balance == self._balance and not force:
            return
        self._balance = balance
        if balance is None or not balance.sites:
            self.message.setText(
                NOTHING
                if balance is None or not balance.tally.ups + balance.tally.downs
                else BALANCED
            )
            self.tree.clear()
            self._stack.setCurrentWidget(self.message)
            return
        opened = self._opened()
        self.tree.clear()
        for node in balance.sites[:MOST_SITES]:
            self.tree.addTopLevelItem(self._item(node))
        for index in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(index)
            if item is not None and item.text(1) in opened:
                item.setExpanded(True)
        self._stack.setCurrentWidget(self.tree)

    def _opened(self) -> set[str]:
        items = (self.tree.topLevelItem(index) for index in range(self.tree.topLevelItemCount()))
        return {item.text(1) for item in items if item is not None and item.isExpanded()}

    def _item(self, node: BalanceNode) -> QTreeWidgetItem:
        item = QTreeWidgetItem([f"{node.net:+,}", node.text])
        item.setTextAlignment(0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setForeground(0, self._theme.color("suspect" if node.net > 0 else "unknown"))
        if node.folded or not node.file:
            item.setForeground(1, self._theme.color("text_quiet"))
        item.setData(0, _PLACE, (node.file, node.line))
        item.setToolTip(1, tip(f"{node.file}:{node.line}" if node.file else node.text))
        for caller in node.callers:
            item.addChild(self._item(caller))
        return item

    def _activate(self, item: QTreeWidgetItem, _column: int) -> None:
        file, line = item.data(0, _PLACE)
        if file and line:
            self.line_wanted.emit(file, line)
