"""The window: assembly of toolbar, banners, start page, panes and status line. GUI thread."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu

from inspector.model.caps import Use
from inspector.model.change_groups import GroupBy
from inspector.model.snapshot import Snapshot, Vitals
from inspector.model.verdict import Suspect
from inspector.ui.session.connector import Connector
from inspector.ui.session.situation import Situation
from inspector.ui.shell.command_palette import CommandPalette
from inspector.ui.shell.editor import open_line
from inspector.ui.shell.file_choice import choose_file
from inspector.ui.shell.gc_result import show_collection
from inspector.ui.shell.help_dialogs import about_dialog, help_dialog, shortcuts_dialog
from inspector.ui.shell.limits_dialog import show_limits
from inspector.ui.shell.looking_back import LookingBack
from inspector.ui.shell.losses_dialog import show_losses
from inspector.ui.shell.navigation import Navigation, Place
from inspector.ui.shell.new_window import open_another
from inspector.ui.shell.recording_view import RecordingView
from inspector.ui.shell.reopening import Reopening
from inspector.ui.shell.search import Hit, find
from inspector.ui.shell.state_banner import show_state
from inspector.ui.shell.window_layout import restore_layout, save_layout
from inspector.ui.shell.window_parts import WindowParts

COMPACT_WIDTH: Final = 1000
"""Below it the toolbar has short words, and the baseline is chosen in its menu."""


class MainWindow(WindowParts):
    """One target at a time."""

    def __init__(
        self, connector: Connector, settings: QSettings, *, reset_layout: bool = False
    ) -> None:
        """On the start page; ``settings`` keep theme, geometry and layout."""
        super().__init__(connector, settings)
        self._connector = connector
        self._navigation = Navigation()
        self._tour_due = False
        self._connect_attachment()
        self._connect_actions()
        self._connect_panes()
        self._connect_records()
        self.reopening = Reopening(self.workbench, self.attachment, self.pane_parts)
        self.reopening.counters_restored.connect(self.verdict.show_snapshot)
        restore_layout(settings, self, self.workbench, reset=reset_layout)
        self._show_start()

    # connecting -----------------------------------------------------------------------------------

    def _connect_attachment(self) -> None:
        attachment = self.attachment
        attachment.changed.connect(self._situation_changed)
        attachment.began.connect(self._began)
        attachment.finished.connect(self._show_start)
        attachment.snapshot_seen.connect(self._snapshot_seen)
        attachment.watched_again.connect(self._show_facts)
        attachment.snapshot_shown.connect(self.workbench.show_snapshot)
        attachment.snapshot_shown.connect(lambda _snapshot: self._settle())
        attachment.vitals_seen.connect(self._vitals_seen)
        for part in (
            attachment,
            self.screenshot_command,
            self.saving,
            self.target_actions,
            self.findings,
            self.marks,
            self.recording,
            self.changes,
        ):
            part.told.connect(self._tell)
        self.target_actions.collected.connect(
            lambda report: show_collection(self.result, self.workbench, report)
        )

    def _connect_actions(self) -> None:
        self.commands.connect_to(
            {
                "filter": self.workbench.handles.focus_filter,
                "clear_filter": lambda: self.workbench.handles.set_filter(""),
                "sort": self.workbench.handles.sort_now,
                "copy": self.workbench.handles.table.copy_ids,
                "mark": lambda: self.looking_back.mark(),
                "gc": self.target_actions.force_gc,
                "close": self.selection_actions.close,
                "close_shown": self.selection_actions.close_shown,
                "drain": self.target_actions.drain,
                "stacks": self._read_stacks,
                "take_back": self.selection_actions.take_back,
                "audit": lambda: self.workbench.open_pane("audit"),
                "screenshot": self.take_screenshot,
                "attach": self.show_processes,
                "detach": self.leaving.begin,
                "ask_detach": self.leaving.forget,
                "ask_preview": self.preview.forget,
                "open": self._choose_file,
                "demo": self.start_demo,
                "tour": self.tour.begin,
                "theme": self.appearance.switch,
                "system_theme": lambda: self.appearance.choose("system"),
                "back": lambda: self._revisit(self._navigation.back()),
                "forward": lambda: self._revisit(self._navigation.forward()),
                "reset_layout": self.workbench.reset_layout,
                "limits": lambda: show_limits(self, self.uses),
                "commands": self._show_commands,
                "next_suspect": lambda: self.verdict.grows.step(1),
                "previous_suspect": lambda: self.verdict.grows.step(-1),
                "new_window": self._open_window,
                "help": lambda: help_dialog(self).open(),
                "shortcuts": lambda: shortcuts_dialog(self._all_actions(), self).open(),
                "about": lambda: about_dialog(self).open(),
                "quit": self._quit,
            }
        )
        self.commands["pause"].toggled.connect(self.attachment.set_paused)
        self.commands["record"].toggled.connect(self.recording.set_on)
        self.commands["arm"].toggled.connect(self.attachment.set_armed)

    def _connect_panes(self) -> None:
        self.appearance.changed.connect(self.set_theme)
        self.toolbar.level_wanted.connect(self.attachment.set_level)
        self.toolbar.rate_wanted.connect(self.attachment.set_rate)
        self.toolbar.baseline_wanted.connect(self.marks.compare_with)
        self.commands.refused.connect(lambda why: self._tell(why, "waiting"))
        self.start.attach_wanted.connect(self.attachment.attach)
        self.start.bring_wanted.connect(self.attachment.bring)
        self.start.look_wanted.connect(self.attachment.look)
        self.start.demo_wanted.connect(self.start_demo)
        self.start.open_wanted.connect(self._choose_file)
        self.start.back_wanted.connect(lambda: self.pages.setCurrentWidget(self.workbench))
        self.pages.currentChanged.connect(self._page_changed)
        self.start.file_wanted.connect(self.attachment.open_file)
        self.workbench.selection_changed.connect(self._selection_changed)
        self.workbench.handles.menu_wanted.connect(self._extend_menu)
        self.workbench.handles.filter_changed.connect(self._visit)
        self.vital_signs.filter_wanted.connect(self.workbench.handles.set_filter)
        verdict = self.verdict
        verdict.grows.suspect_chosen.connect(self._choose_suspect)
        verdict.grows.findings_wanted.connect(lambda: self.workbench.open_pane("findings"))
        verdict.stuck.pane_wanted.connect(self.workbench.open_pane)
        verdict.stuck.handle_chosen.connect(self.workbench.choose)
        verdict.line_wanted.connect(self._open_line)
        self.workbench.row_changed.connect(
            lambda row: verdict.grows.show_chosen(row.key if row is not None else "")
        )
        self.workbench.holder_found.connect(verdict.grows.learn_holder)
        self.vital_signs.events_wanted.connect(self.workbench.show_events)
        self.workbench.line_wanted.connect(self._open_line)
        self.vital_signs.losses_wanted.connect(lambda: show_losses(self, self.attachment))

    def _connect_records(self) -> None:
        self.marks.marked.connect(self.recording.mark)
        self.recording.is_on_changed.connect(self.commands["record"].setChecked)
        RecordingView(self.recording, self.toolbar.tool("record"), self.result)
        self.looking_back = LookingBack(self)
        self.looking_back.cursor.told.connect(self._tell)

    # calls from other parts -----------------------------------------------------------------------

    def show_processes(self) -> None:
        """The start page; a session that is open goes on behind it."""
        target = self.attachment.snapshot.target if self.attachment.snapshot else None
        self.start.show_session(target.name if target else "")
        self.pages.setCurrentWidget(self.start)
        self.start.table.setFocus()

    def start_demo(self) -> None:
        """Start the sample target; the tour comes with it, unless it was seen before."""
        self.attachment.start_demo(self._expect_tour)

    def _expect_tour(self) -> None:
        self._tour_due = not self.tour.was_seen

    def take_screenshot(self) -> None:
        """Save the window with its data, in the connector's folder."""
        snapshot = self.attachment.shown
        if snapshot is not None:
            self.screenshot_command.take(snapshot, self.reopening.state())

    def save_screenshot(self, path: Path) -> None:
        """Save the window with its data; the result bar says how that went."""
        snapshot = self.attachment.shown
        if snapshot is not None:
            self.screenshot_command.save(snapshot, self.reopening.state(), path)

    def uses(self) -> list[Use]:
        """The amounts that the parts of the window keep now."""
        keepers = (
            self.workbench.timeline.history,
            self.marks,
            self.feed,
            self.findings,
            self.attachment,
            self.recording,
            self._navigation,
        )
        return [use for keeper in keepers for use in keeper.uses()]

    # Qt -------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout, detach, stop the workers; first ask about a loaded agent."""
        if self.leaving.has_question:
            event.ignore()
            self.leaving.begin(self._quit)
            return
        self.leaving.begin()
        save_layout(self._settings, self, self.workbench)
        self.runner.close()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words beside the icons only where there is room."""
        super().resizeEvent(event)
        self.toolbar.set_compact(compact=self.width() < COMPACT_WIDTH)

    # inside ---------------------------------------------------------------------------------------

    def _began(self) -> None:
        self.workbench.clear()
        self.verdict.clear()
        self._navigation = Navigation()
        self.pages.setCurrentWidget(self.workbench)
        self.banner.say("Waiting for the first snapshot …")
        self.workbench.handles.focus_rows()

    def _show_start(self) -> None:
        self.closing.end()
        self.tour.leave()
        self.workbench.clear()
        self.verdict.clear()
        self.start.show_session("")
        self.status.clear()
        self.toolbar.chip.show_target(None)
        self.setWindowTitle("arc-inspector")
        self.pages.setCurrentWidget(self.start)
        self._page_changed()

    def _page_changed(self) -> None:
        """Vital signs and banner belong to the session's page."""
        in_session = self.pages.currentWidget() is self.workbench
        self.verdict.setVisible(in_session)
        self.banner.hide()
        if in_session and self.attachment.snapshot is not None:
            self._show_banner(self.attachment.snapshot)

    def _situation_changed(self, now: Situation) -> None:
        self.selection_actions.apply()
        self.toolbar.apply(now)
        self.start.set_resting(now.connecting)
        self.workbench.set_paused(now.paused)
        self.verdict.set_paused(now.paused)

    def _choose_suspect(self, suspect: Suspect) -> None:
        """Show the suspect's row with its holders; a finding without a row in its own pane."""
        if suspect.key:
            self.workbench.handles.group_by(GroupBy.TYPE)
            self.workbench.choose_key(suspect.key)
        elif suspect.finding.handles:
            self.workbench.choose(suspect.finding.handles[0])
        else:
            self.workbench.open_pane("findings")

    def _selection_changed(self, handles: tuple[int, ...]) -> None:
        self.selection_actions.apply()
        if handles:
            self._navigation.visit(Place(self.workbench.handles.query.filter.source, handles[0]))

    def _snapshot_seen(self, snapshot: Snapshot) -> None:
        target = snapshot.target
        self.setWindowTitle(f"{target.name} ({target.pid}) – arc-inspector")
        if self.attachment.is_watched and self.attachment.past is None:
            self._show_facts(snapshot)

    def _show_facts(self, snapshot: Snapshot) -> None:
        target = snapshot.target
        self.toolbar.chip.show_target(target)
        self.toolbar.show_level(target)
        self.toolbar.show_baselines(self.marks.baselines(), self.marks.baseline, snapshot.taken_at)
        self.verdict.show_snapshot(snapshot)
        paused = self.attachment.situation.paused
        self.status.show_snapshot(
            snapshot,
            rate_hz=self.attachment.rate_hz,
            skipped=self.attachment.skipped,
            paused=paused,
        )
        if self.pages.currentWidget() is self.workbench:
            self._show_banner(snapshot)

    def _show_banner(self, snapshot: Snapshot) -> None:
        is_replay = self.attachment.replay is not None
        stacks = self.workbench.show_stacks
        show_state(self.banner, snapshot, self.show_processes, stacks, is_replay=is_replay)

    def _vitals_seen(self, vitals: Vitals) -> None:
        if self.attachment.is_watched and self.attachment.past is None:
            self.verdict.show_vitals(vitals)
        else:
            self.vital_signs.keep_vitals(vitals)
        self.workbench.show_vitals(vitals)

    def _settle(self) -> None:
        """The panes show a snapshot: enable actions, and start the tour that was waiting for it."""
        self.selection_actions.apply()
        if self._tour_due:
            self._tour_due = False
            self.tour.begin()

    def _tell(self, sentence: str, tone: str) -> None:
        if sentence:
            self.result.say(sentence, tone=tone)
        else:
            self.result.hide()

    def _open_window(self) -> None:
        """A window in a process of its own, so that no target waits for another's."""
        if not open_another():
            self._tell("No other window could be started", "alarm")

    def _read_stacks(self) -> None:
        """In the pane *Stuck* if that is shown, else on the page of stacks."""
        drawer = self.workbench.drawer
        if not (drawer.is_open and drawer.current == "pending"):
            self.workbench.show_stacks()
        self.stacks.read()

    def _quit(self) -> None:
        self.close()

    def _choose_file(self) -> None:
        path = choose_file(self, self._connector.screenshot_folder())
        if path is not None:
            self.attachment.open_file(path)

    def _show_commands(self) -> None:
        palette = CommandPalette(self._all_actions(), self, search=self._find)
        palette.hit_chosen.connect(self._show_hit)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.open()

    def _find(self, typed: str) -> list[Hit]:
        return find(typed, self.attachment.shown, self.findings.report.suspects())

    def _show_hit(self, hit: Hit) -> None:
        if hit.handle:
            self.workbench.choose(hit.handle)
        elif hit.finding is not None:
            self._choose_suspect(Suspect(hit.finding, hit.text))
        else:
            self.workbench.handles.set_filter(hit.filter)

    def _all_actions(self) -> tuple[QAction, ...]:
        return (*self.commands.all(), *self.workbench.pane_actions())

    def _open_line(self, file: str, line: int) -> None:
        why = open_line(self._settings, file, line)
        if why:
            self._tell(why, "waiting")

    def _extend_menu(self, menu: QMenu) -> None:
        for key in ("close", "take_back", "close_shown", "clear_filter", "sort"):
            menu.addAction(self.commands[key])

    def _visit(self, source: str) -> None:
        self.selection_actions.apply()
        self._navigation.visit(Place(source, self.workbench.detail.handle))

    def _revisit(self, place: Place | None) -> None:
        if place is None:
            return
        self.workbench.handles.set_filter(place.filter)
        self.workbench.handles.choose(() if place.handle is None else (place.handle,))
