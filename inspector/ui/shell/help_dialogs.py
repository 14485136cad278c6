"""Help, the list of shortcuts, and about. GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from inspector.model.columns import FILTER_HELP

HELP: Final = (
    (
        "Is something growing?",
        "The strip at the top names each suspect with its rate and its line. "
        "Click it to see its holders. n and p step through the suspects.",
    ),
    (
        "Since when?",
        "The table compares with the moment of attaching. Press M to set a mark, and "
        "choose it under Compare with.",
    ),
    (
        "Is something stuck?",
        "The strip names the oldest close that waits, and the thread that has "
        "to run it. Show ▸ opens all of them.",
    ),
    ("Where do the numbers lead?", "Every number is a door: click it."),
)
MORE_KEYS: Final = (
    ("Enter", "Show the holders of the selected row"),
    ("Esc", "Close the pane of the selection, then clear the filter"),
    ("n, p", "Next and previous suspect"),
    ("Left, Right", "Timeline: earlier, later; table: fold, unfold"),
    ("+, −", "Timeline: zoom"),
    ("Home, End", "Timeline: the beginning, now"),
)


class TextDialog(QDialog):
    """A text to read."""

    def __init__(self, title: str, markup: str, parent: QWidget | None = None) -> None:
        """``markup`` is ours."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumSize(520, 420)
        self.text = QTextBrowser()
        self.text.setAccessibleName(title)
        self.text.setHtml(markup)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for button in buttons.buttons():
            button.setIcon(self.windowIcon().__class__())
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)


def help_dialog(parent: QWidget) -> TextDialog:
    """The questions that the window answers, and the language of the filter."""
    parts = [f"<h3>{escape(head)}</h3><p>{escape(text)}</p>" for head, text in HELP]
    filter_help = escape(FILTER_HELP).replace("\n", "<br>")
    return TextDialog("Help", f"{''.join(parts)}<h3>Filter</h3><p>{filter_help}</p>", parent)


def shortcuts_dialog(actions: Sequence[QAction], parent: QWidget) -> TextDialog:
    """The keys of the actions and of the panes."""
    rows = [(action.shortcut().toString(), action.text()) for action in actions]
    rows = [(keys, text) for keys, text in rows if keys]
    lines = [
        f"<tr><td><b>{escape(keys)}</b>&nbsp;&nbsp;</td><td>{escape(text)}</td></tr>"
        for keys, text in (*rows, *MORE_KEYS)
    ]
    return TextDialog("Shortcuts", f"<table cellpadding=3>{''.join(lines)}</table>", parent)


def about_dialog(parent: QWidget) -> TextDialog:
    """Name and version."""
    try:
        number = version("arc-inspector")
    except PackageNotFoundError:
        number = "unknown"
    text = (
        f"<h3>arc-inspector {escape(number)}</h3>"
        "<p>Shows live native reference-counted objects of a running process: their handles, "
        "counts, holders, threads and pending closes.</p>"
        "<p>Nothing is sent anywhere. Licences: Apache-2.0 or MIT.</p>"
    )
    return TextDialog("About", text, parent)
