"""The parts of the window: what it asks, and the widgets that show it. GUI thread."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from inspector.session.mutes import MUTES_NAME, Mutes
from inspector.ui.kit.assets import icon
from inspector.ui.kit.banner import Banner
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.sql.pinned import PinnedQueries
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.change_watch import ChangeWatch
from inspector.ui.session.connector import Connector
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.session.recording import Recording
from inspector.ui.session.stack_watch import StackWatch
from inspector.ui.session.target_actions import TargetActions
from inspector.ui.shell.actions import Actions
from inspector.ui.shell.appearance import Appearance
from inspector.ui.shell.closing import Closing
from inspector.ui.shell.demo_tour import demo_steps, take_filter_away
from inspector.ui.shell.enter_key import EnterPresses
from inspector.ui.shell.file_choice import dropped_file
from inspector.ui.shell.leaving import Leaving
from inspector.ui.shell.pane_list import PaneParts
from inspector.ui.shell.relatives import Relatives
from inspector.ui.shell.replay_bar import ReplayBar
from inspector.ui.shell.save_parts import SaveParts
from inspector.ui.shell.screenshot_command import ScreenshotCommand
from inspector.ui.shell.selection_actions import SelectionActions
from inspector.ui.shell.send_preview import SESSION, SendPreview
from inspector.ui.shell.settings_dialog import RATE_KEY, SettingsDialog, stored_rate
from inspector.ui.shell.start_page import StartPage
from inspector.ui.shell.status_line import StatusLine
from inspector.ui.shell.toolbar import ToolBar
from inspector.ui.shell.tour import Tour
from inspector.ui.shell.verdict.strip import VerdictStrip
from inspector.ui.shell.window_layout import first_size
from inspector.ui.shell.workbench import Workbench

COMPACT_WIDTH: Final = 1000
"""Below it the toolbar has short words, and the baseline is chosen in its menu."""


class WindowParts(QMainWindow):
    """The parts of a window on one target, built and laid out; ``MainWindow`` connects them."""

    def __init__(self, connector: Connector, settings: QSettings) -> None:
        """On the start page; ``settings`` keep theme, geometry and layout."""
        appearance = Appearance(settings)
        super().__init__()  # with the font and colours in force, which the parts inherit
        self.setObjectName("window")
        self.setWindowTitle("arc-inspector")
        self.setMinimumSize(720, 420)
        self.resize(first_size(self.screen().availableGeometry().size()))
        self.setAcceptDrops(True)
        self._settings = settings
        self.runner = BackgroundRunner(self)
        self.appearance = appearance
        appearance.setParent(self)
        self.attachment = Attachment(connector, self.runner, self)
        self.target_actions = TargetActions(self.attachment, self)
        self.leaving = Leaving(self.attachment, settings, self)
        self.closing = Closing(
            self.target_actions, HolderQuestions(self.attachment, self), self.appearance, self
        )
        self.preview = SendPreview(settings, self.runner, self)
        self.screenshot_command = ScreenshotCommand(self, connector, self.runner, self.preview)
        mutes = Mutes(Path(settings.fileName()).parent / MUTES_NAME)
        self.feed = EventFeed(self.attachment, self.runner, self)
        self.findings = FindingsWatch(self.attachment, self.runner, self.feed, mutes, self)
        self.marks = MarkBook(self.attachment, self.runner, self)
        self.changes = ChangeWatch(self.attachment, self.runner, self.findings, self.marks, self)
        self.stacks = StackWatch(self.attachment, self)
        self.colors = TypeColors(settings)
        EnterPresses(self)
        self.recording = Recording(self.attachment, connector, self.runner, self)
        self.recording.ask = partial(self.preview.ask, SESSION)
        self.commands = Actions(self.appearance.theme, self)
        self._build(connector)
        self.appearance.dress()

    # building -------------------------------------------------------------------------------------

    def _build(self, connector: Connector) -> None:
        theme = self.appearance.theme
        self.setWindowIcon(icon("app", theme, tint="accent"))
        self.toolbar = ToolBar(theme, self.commands, self)
        self.addToolBar(self.toolbar)
        self.status = StatusLine(self)
        self.setStatusBar(self.status)
        self.verdict = VerdictStrip(theme, self.changes, self.findings, self.stacks)
        self.vital_signs = self.verdict.numbers
        self.banner = Banner(theme)
        self.result = Banner(theme, dismissable=True)
        self.start = StartPage(theme, connector, self.runner)
        Relatives(
            self.toolbar.chip.menu, self.attachment, connector, self.runner, self.start.open_row
        )
        self.replay = ReplayBar(theme)
        self.pane_parts = PaneParts(
            theme,
            runner=self.runner,
            attachment=self.attachment,
            actions=self.commands,
            target_actions=self.target_actions,
            feed=self.feed,
            findings=self.findings,
            marks=self.marks,
            changes=self.changes,
            stacks=self.stacks,
            colors=self.colors,
            pinned=PinnedQueries(self._settings),
        )
        self.workbench = Workbench(self.pane_parts)
        self.vital_signs.past = self.changes.history = self.workbench.timeline.history
        self.selection_actions = SelectionActions(
            self.workbench.handles,
            self.attachment,
            self.commands,
            self.target_actions,
            self.closing,
        )
        self.saving = SaveParts(
            self.workbench, self.attachment, connector, self.commands, self.preview
        )
        self.commands["settings"].triggered.connect(self._show_settings)
        self._keep_rate()
        self.tour = Tour(
            theme,
            self._settings,
            demo_steps(self.workbench, self.verdict, self.toolbar, self.attachment),
            self,
        )
        self.tour.finished.connect(lambda: take_filter_away(self.workbench))
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(self.workbench)
        page = QWidget()
        page.setObjectName("page")
        layout = flush_column(page)
        for widget in (self.banner, self.replay, self.verdict):
            layout.addWidget(widget)
        layout.addWidget(self.pages, 1)
        # at the bottom: the text above does not move when an action answers
        layout.addWidget(self.result)
        self.setCentralWidget(page)

    def _keep_rate(self) -> None:
        """The rate of last time, and a choice in the toolbar is kept."""
        rate = stored_rate(self._settings)
        self.attachment.set_rate(rate)
        self.toolbar.show_rate(rate)
        self.toolbar.rate_wanted.connect(lambda now: self._settings.setValue(RATE_KEY, now))

    def _show_settings(self) -> None:
        dialog = SettingsDialog(self._settings, self.appearance, self.colors, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.rate_wanted.connect(self.attachment.set_rate)
        dialog.rate_wanted.connect(self.toolbar.show_rate)
        dialog.colors_changed.connect(lambda: self.set_theme(self.appearance.theme))
        dialog.open()

    # Qt -------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """The window became visible: the timeline moves smoothly."""
        super().showEvent(event)
        self._note_watching()

    def hideEvent(self, event: QHideEvent) -> None:
        """The window is hidden: read less often."""
        super().hideEvent(event)
        self._note_watching()

    def changeEvent(self, event: QEvent) -> None:
        """Minimised is not looked at."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._note_watching()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome."""
        if dropped_file(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the file."""
        path = dropped_file(event)
        if path is not None:
            event.acceptProposedAction()
            self.attachment.open_file(path)

    def _note_watching(self) -> None:
        self.attachment.set_watched(self.isVisible() and not self.isMinimized())

    def set_theme(self, theme: Theme) -> None:
        """Paint all parts with other colours."""
        self.commands.set_theme(theme)
        self.tour.set_theme(theme)
        for part in (
            self.toolbar.chip,
            self.verdict,
            self.replay,
            self.banner,
            self.result,
            self.start,
            self.workbench,
        ):
            part.set_theme(theme)
