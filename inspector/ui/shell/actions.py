"""Every action of the window with its shortcut, and when it is possible.

One table, so that toolbar, menus and command palette cannot differ. GUI thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QWidget

from inspector.ui.kit.assets import icon
from inspector.ui.kit.theme import Theme
from inspector.ui.session.situation import Situation


@dataclass(frozen=True, slots=True)
class Spec:
    """One action."""

    key: str
    text: str
    icon: str
    shortcut: str
    tip: str
    checkable: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The objects of the actions."""

    handles: int = 0
    """Selected."""
    pending: int = 0
    """Selected ones with a pending close."""
    unclosable: str = ""
    """Why none of the selected can be closed; ``""``: at least one may be."""
    pending_anywhere: bool = False
    filtered: bool = False
    """The table is filtered."""


SPECS: Final = (
    Spec("filter", "Filter handles", "search", "/", "Go to the filter field"),
    Spec(
        "pause",
        "Pause",
        "pause",
        "Space",
        ("Pause the tables; the figures above keep counting"),
        checkable=True,
    ),
    Spec("mark", "Mark", "mark", "M", "Put a vertical mark into the timeline"),
    Spec(
        "gc",
        "Force GC",
        "collect",
        "G",
        ("Collect garbage in the target and show the freed objects"),
    ),
    Spec("close", "Close…", "close", "C", "Close the selected resources; shows the plan first"),
    Spec(
        "close_shown",
        "Close all shown…",
        "close",
        "Shift+C",
        "Close every open resource that the filter shows; shows the plan first",
    ),
    Spec(
        "stacks",
        "Read stacks",
        "stack",
        "T",
        "Show where each thread is now, read from outside: the target runs on",
    ),
    Spec("drain", "Drain now", "drain", "", "Run the pending closes that nothing blocks any more"),
    Spec(
        "take_back",
        "Take close back",
        "take_back",
        "",
        ("Take the pending closes of the selected handles back: they stay open"),
    ),
    Spec("audit", "Actions log", "audit", "", "Show the actions of viewers on this target"),
    Spec(
        "record",
        "Record",
        "record",
        "R",
        ("Record this session into a file, until it is switched off"),
        checkable=True,
    ),
    Spec(
        "screenshot",
        "Screenshot",
        "screenshot",
        "S",
        ("Save a picture with the whole snapshot inside"),
    ),
    Spec(
        "save_table",
        "Save the table as…",
        "screenshot",
        "",
        "The rows as CSV, or a picture of the table as SVG or PNG",
    ),
    Spec(
        "save_timeline",
        "Save the timeline as…",
        "screenshot",
        "",
        "A picture of the timeline as SVG or PNG, or its points as CSV",
    ),
    Spec(
        "save_pane",
        "Save the pane as…",
        "screenshot",
        "Ctrl+Shift+S",
        "The pane of the drawer as SVG, PNG or CSV",
    ),
    Spec("settings", "Settings…", "layout", "Ctrl+,", "Editor, colours, rate and questions"),
    Spec(
        "arm",
        "Actions on",
        "arm",
        "Ctrl+Shift+A",
        ("Allow Force GC and Close on this target"),
        checkable=True,
    ),
    Spec("attach", "Attach…", "attach", "Ctrl+N", "Choose a process"),
    Spec("detach", "Detach", "detach", "Ctrl+D", "End this session; the target runs on"),
    Spec(
        "ask_detach",
        "Ask again before detaching",
        "detach",
        "",
        ("Forget the choice to keep or to remove a loaded agent"),
    ),
    Spec(
        "ask_preview",
        "Ask again before saving",
        "screenshot",
        "",
        "Forget the choice to leave out all private parts without asking",
    ),
    Spec("open", "Open…", "open", "Ctrl+O", "Open a screenshot or session file"),
    Spec("demo", "Start the demo", "demo", "", "Start the sample target and inspect it"),
    Spec("tour", "One-minute tour", "tour", "", "Show the panes in turn, on the open session"),
    Spec("theme", "Switch theme", "theme", "Ctrl+T", "Light, dark"),
    Spec(
        "system_theme",
        "Follow the system's theme",
        "theme",
        "",
        ("Light or dark as the desktop is"),
    ),
    Spec("copy", "Copy ids", "copy", "", "Copy the ids of the selected handles"),
    Spec("clear_filter", "Clear filter", "clear", "Esc", "Show all rows again"),
    Spec(
        "sort",
        "Sort new rows in",
        "refresh",
        "F5",
        ("Give rows that arrived at the end their places"),
    ),
    Spec("back", "Back", "folded", "Alt+Left", "The filter and handle before"),
    Spec("forward", "Forward", "folded", "Alt+Right", "The filter and handle after"),
    Spec("reset_layout", "Reset layout", "layout", "", "Put all panes back to their first places"),
    Spec("limits", "Limits…", "info", "", "Show how much this window keeps at most, and keeps now"),
    Spec("commands", "Commands…", "commands", "Ctrl+K", "Find any action by name"),
    Spec("next_suspect", "Next suspect", "suspect", "N", "Show the next suspect and its holders"),
    Spec("previous_suspect", "Previous suspect", "suspect", "P", "Show the suspect before"),
    Spec("new_window", "New window", "app", "Ctrl+Shift+N", "A window for another process"),
    Spec("help", "Help", "info", "F1", "The questions that the window answers, and the filter"),
    Spec("shortcuts", "Shortcuts", "commands", "?", "All keys"),
    Spec("about", "About", "info", "", "Name, version and licence"),
    Spec("quit", "Quit", "quit", "Ctrl+Q", "Detach and close the window"),
)


class Actions(QObject):
    """The actions, by key: ``actions["pause"]``."""

    refused = Signal(str)
    """The keys of a disabled action were pressed: why it is not possible now, a sentence."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        """Adds all to ``window``, so that shortcuts work in every pane."""
        super().__init__(window)
        self._by_key: dict[str, QAction] = {}
        self._tries: dict[str, QShortcut] = {}
        self._applied: tuple[Situation, Chosen] | None = None
        for spec in SPECS:
            action = QAction(spec.text, window)
            action.setIconText(spec.text)  # or Qt takes the dots off in the toolbar
            action.setCheckable(spec.checkable)
            if spec.shortcut:
                action.setShortcut(QKeySequence(spec.shortcut))
            action.setObjectName(spec.key)
            window.addAction(action)
            self._by_key[spec.key] = action
            if spec.shortcut:
                self._tries[spec.key] = self._try_of(spec, window)
        self.set_theme(theme)
        self.apply(Situation(), Chosen())
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._yield_space)

    def __getitem__(self, key: str) -> QAction:
        """The action called ``key``."""
        return self._by_key[key]

    def all(self) -> tuple[QAction, ...]:
        """In the order of the table."""
        return tuple(self._by_key.values())

    def connect_to(self, slots: dict[str, Callable[[], None]]) -> None:
        """Connect actions that are not checkable to their slots."""
        for key, slot in slots.items():
            self._by_key[key].triggered.connect(lambda _checked=False, slot=slot: slot())

    def set_theme(self, theme: Theme) -> None:
        """Tint the icons."""
        for spec in SPECS:
            self._by_key[spec.key].setIcon(icon(spec.icon, theme))

    def apply(self, now: Situation, chosen: Chosen) -> None:
        """Enable the possible actions; the tooltip gives the reason of a disabled action."""
        if (now, chosen) == self._applied:
            return
        self._applied = now, chosen
        blocked = _blocked(now, chosen)
        for spec in SPECS:
            action, reason = self._by_key[spec.key], blocked.get(spec.key, "")
            action.setEnabled(not reason)
            if spec.key in self._tries:
                self._tries[spec.key].setEnabled(bool(reason))
            keys = f" ({spec.shortcut})" if spec.shortcut else ""
            action.setToolTip(f"{spec.tip}{keys}" + (f"\nNot now: {reason}" if reason else ""))
        self._check("pause", on=now.paused)
        self._check("arm", on=now.armed)

    def _try_of(self, spec: Spec, window: QWidget) -> QShortcut:
        """Hears the keys of an action while it is disabled."""
        keys = QShortcut(QKeySequence(spec.shortcut), window)
        keys.setEnabled(False)
        keys.activated.connect(lambda: self._refuse(spec))
        return keys

    def _refuse(self, spec: Spec) -> None:
        if self._applied is not None:
            reason = _blocked(*self._applied).get(spec.key, "")
            self.refused.emit(f"{spec.text.removesuffix('…')} is not possible now: {reason}")

    def _check(self, key: str, *, on: bool) -> None:
        action = self._by_key[key]
        if action.isChecked() != on:
            action.blockSignals(True)
            action.setChecked(on)
            action.blockSignals(False)
            action.changed.emit()

    def _yield_space(self, _before: QWidget | None, now: QWidget | None) -> None:
        """Space presses a focused button; elsewhere it pauses."""
        on_button = isinstance(now, (QAbstractButton, QComboBox))
        self._by_key["pause"].setShortcut(QKeySequence() if on_button else QKeySequence("Space"))


def _blocked(now: Situation, what: Chosen) -> dict[str, str]:
    """Why actions are not possible, by key."""
    nothing = "" if now.attached else "no target is attached"
    unseen = nothing or ("" if now.has_snapshot else "no snapshot has arrived yet")
    still = unseen or ("" if now.answers else "the target does not change any more")
    unable = unseen or ("" if now.can.act else now.can.reason or "this session cannot act")
    late = "the target is hung" if now.hung else "the action before still runs" if now.busy else ""
    acting = unable or ("" if now.armed else "switch Actions on first (Ctrl+Shift+A)") or late
    chosen = "" if what.handles else "no handle is selected"
    reasons = {
        "filter": nothing,
        "clear_filter": nothing,
        "sort": nothing,
        "copy": nothing or chosen,
        "pause": "" if now.paused else still,
        "mark": unseen,
        "next_suspect": unseen,
        "previous_suspect": unseen,
        "record": still,
        "stacks": still,
        "arm": unable,
        "gc": acting,
        "close": acting or chosen or what.unclosable,
        "close_shown": acting or ("" if what.filtered else "filter the handles first"),
        "drain": acting or ("" if what.pending_anywhere else "nothing is waiting to close"),
        "take_back": acting
        or chosen
        or ("" if what.pending else ("the selected handles have no pending close")),
        "audit": nothing,
        "tour": unseen,
        "screenshot": unseen,
        "save_table": unseen,
        "save_timeline": unseen,
        "save_pane": unseen,
        "detach": nothing,
        "back": nothing,
        "forward": nothing,
        "reset_layout": nothing,
        "attach": "already connecting" if now.connecting else "",
        "demo": "already connecting" if now.connecting else "",
    }
    return {key: reason for key, reason in reasons.items() if reason}
