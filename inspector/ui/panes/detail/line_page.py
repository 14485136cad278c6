"""The selected row of the table of change: made at, held by, and the next step. GUI thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from inspector.model import wording
from inspector.model.changes import ChangeRow, ChangeTable
from inspector.model.holder_groups import HolderGroup, grouped_holders, summary
from inspector.model.holders import Retainers, SearchProgress
from inspector.model.line_report import growth_sentence, markdown_of, site_of
from inspector.model.snapshot import TargetState
from inspector.model.stacks import Site
from inspector.model.survivors import oldest_survivors
from inspector.ui.kit.labels import quiet_label, rich_label, rule, section_label
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.detail.holder_tree import HolderTree
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.vocabulary import handle_text

MOST_ASKED: Final = 5
"""The oldest survivors of a line that the target is asked about."""


class LinePage(QWidget):
    """A type or a line of it."""

    handle_chosen = Signal(object)
    """``int``."""
    line_wanted = Signal(str, int)
    """File and line that the person's editor is to open."""
    pane_wanted = Signal(str)
    """Key of a pane that leads on: ``cycles`` or ``history``."""
    holder_found = Signal(str, str, object)
    """Key of the row, the root that holds most of the handles that were looked at, and the holders
    by handle."""

    def __init__(
        self, theme: Theme, questions: HolderQuestions, findings: FindingsWatch | None = None
    ) -> None:
        """Nothing selected. ``questions`` asks the target."""
        super().__init__()
        self._theme = theme
        self._questions = questions
        self._findings = findings
        self._row: ChangeRow | None = None
        self._table: ChangeTable | None = None
        self._waiting: list[int] = []
        self._asked = 0
        self._survivors: tuple[tuple[int, ...], int] = ((), 0)
        self._found: dict[int, Retainers] = {}
        self._known: dict[str, dict[int, Retainers]] = {}
        self._site: Site | None = None
        self._shows_stack = False
        self._answers = True
        self._build()
        questions.retainers_found.connect(self._take)
        questions.progressed.connect(self._progress)
        questions.failed.connect(self._fail)

    # calls from other parts -----------------------------------------------------------------------

    @property
    def row(self) -> ChangeRow | None:
        """The row that is shown."""
        return self._row

    @property
    def groups(self) -> tuple[HolderGroup, ...]:
        """The holders that were found."""
        return grouped_holders(self._found)

    @property
    def known(self) -> Mapping[str, Mapping[int, Retainers]]:
        """Holders that were found, by the key of a row and by handle."""
        return self._known

    def restore(self, known: dict[str, dict[int, Retainers]]) -> None:
        """Take the holders of a file."""
        self._known = known

    def show_row(self, row: ChangeRow, table: ChangeTable | None) -> None:
        """Show a row; another row than before forgets the holders of the row before."""
        is_new = self._row is None or row.key != self._row.key
        self._row, self._table = row, table
        if is_new:
            self._give_up()
            self._found = dict(self._known.get(row.key, {}))
            self._asked = len(self._found)
            self._shows_stack = False
            self._say("")
            self._show_holders()
        self._show_facts()

    def show_table(self, table: ChangeTable | None) -> None:
        """Newer numbers of the same row; a row that is gone keeps its last numbers."""
        if table is None or self._row is None:
            return
        found = table.row(self._row.key)
        self._table = table
        if found is not None:
            self._row = found
            self._show_facts()

    def look(self, limit: int = MOST_ASKED) -> None:
        """Ask the target for the holders of the oldest survivors."""
        if self._row is None or self._table is None or self._waiting:
            return
        if not self._answers:
            self._say("The target does not run any more, so it cannot be asked")
            return
        table = self._table
        since = table.facts.baseline.at if table.facts.baseline else -math.inf
        self._survivors = oldest_survivors(table.facts.snapshot, self._row, since, limit)
        self._waiting = [each for each in self._survivors[0] if each not in self._found]
        self._asked = len(self._found) + len(self._waiting)
        if not self._survivors[0]:
            self._say("No live handle is left to ask about")
        self._ask_next()

    def clear(self) -> None:
        """Nothing is selected, or there is no target."""
        self._give_up()
        self._row, self._table, self._found, self._known = None, None, {}, {}

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self._tree.set_theme(theme)
        self._show_facts()
        self._show_holders()

    def copy_markdown(self) -> None:
        """Put the evidence on the clipboard, for a ticket."""
        if self._row is not None and self._table is not None:
            text = markdown_of(self._row, self._table, self.groups, len(self._found))
            QGuiApplication.clipboard().setText(text)
            self._say("Copied as Markdown")

    # building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._build_labels()
        self._build_buttons()
        body = QWidget()
        inside = QVBoxLayout(body)
        inside.setContentsMargins(16, 8, 16, 16)
        inside.setSpacing(8)
        for part in (self._sentence, rule(), self._heading("Made at", self._stack_button)):
            inside.addWidget(part)
        inside.addWidget(self._made_at)
        inside.addWidget(rule())
        inside.addWidget(self._heading("Held by", self._more_button))
        inside.addWidget(self._progress_text)
        inside.addWidget(self._look_button, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addLayout(self._expression_line)
        inside.addWidget(self._tree)
        inside.addWidget(self._other_groups)
        steps = QHBoxLayout()
        for button in self._steps:
            steps.addWidget(button)
        steps.addStretch(1)
        inside.addLayout(steps)
        inside.addWidget(rule())
        inside.addWidget(self._handles)
        inside.addStretch(1)
        area = QScrollArea()
        area.setAccessibleName("What is selected")
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(area)

    def _build_labels(self) -> None:
        self._sentence = self._rich("What it did")
        self._made_at = self._rich("Made at")
        self._progress_text = quiet_label("")
        self._progress_text.setObjectName("Progress of the search")
        self._progress_text.setWordWrap(True)
        self._expression = rich_label()
        self._expression.setObjectName("Held by")
        self._expression.setProperty("code", True)
        self._expression.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._tree = HolderTree(self._theme)
        self._tree.line_wanted.connect(self.line_wanted)
        self._other_groups = self._rich("Other holders")
        self._handles = self._rich("Handles")

    def _build_buttons(self) -> None:
        self._stack_button = _flat("Stack ▾", self._toggle_stack)
        self._more_button = _flat("", lambda: self.look(50))
        self._look_button = QPushButton("Who holds it")
        self._look_button.setToolTip(
            f"Asks the target about the {MOST_ASKED} oldest handles that stayed. It walks the heap "
            "in short steps"
        )
        self._look_button.clicked.connect(lambda: self.look())
        self._copy_path = _flat("Copy", self._copy_expression)
        self._copy_path.setAccessibleName("Copy the path")
        self._expression_line = QHBoxLayout()
        self._expression_line.addWidget(self._expression, 1)
        self._expression_line.addWidget(self._copy_path)
        cycles = QPushButton("Look for cycles")
        cycles.clicked.connect(lambda: self.pane_wanted.emit("cycles"))
        history = QPushButton("History")
        history.clicked.connect(lambda: self.pane_wanted.emit("history"))
        self._mute = QPushButton("Mute…")
        self._mute.clicked.connect(self._ask_mute)
        self._steps = (cycles, history, self._mute)

    def _heading(self, text: str, button: QPushButton) -> QWidget:
        heading = QWidget()
        line = QHBoxLayout(heading)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(section_label(text.upper()))
        line.addStretch(1)
        line.addWidget(button)
        return heading

    def _rich(self, name: str) -> QLabel:
        label = rich_label()
        label.setObjectName(name)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        label.linkActivated.connect(self._follow)
        return label

    # showing --------------------------------------------------------------------------------------

    def _show_facts(self) -> None:
        row, table = self._row, self._table
        if row is None or table is None:
            return
        self._sentence.setText(escape(growth_sentence(row, table)))
        self._site = site_of(row, table)
        self._stack_button.setVisible(self._site is not None and len(self._site.frames) > 1)
        self._made_at.setText(self._made_text(row))
        self._mute.setVisible(row.finding is not None and self._findings is not None)
        handles, count = oldest_survivors(
            table.facts.snapshot,
            row,
            table.facts.baseline.at if table.facts.baseline else -math.inf,
            MOST_ASKED,
        )
        links = ", ".join(self._link(f"handle:{each}", handle_text(each)) for each in handles)
        self._handles.setText(
            f"Oldest that stayed: {links} of {count:,}" if handles else "No handle is alive"
        )

    def _made_text(self, row: ChangeRow) -> str:
        if self._site is None:
            below = len(row.children)
            return (
                f"{wording.plural(below, 'line')}: unfold the row to see each"
                if below > 1
                else "The line was not recorded: it is older than the agent or the level"
            )
        frames = self._site.frames
        shown = frames if self._shows_stack else frames[self._site.naming : self._site.naming + 1]
        return "<br>".join(
            self._link(f"line:{frame.file}:{frame.line}", frame.short()) for frame in shown
        )

    def _show_holders(self) -> None:
        groups = self.groups
        first = groups[0] if groups else None
        for part in (self._expression, self._copy_path, self._tree):
            part.setVisible(first is not None)
        self._look_button.setVisible(first is None and not self._waiting)
        table = self._table
        state = table.facts.snapshot.target.state if table is not None else TargetState.LIVE
        self._answers = state in (TargetState.LIVE, TargetState.HUNG)
        self._look_button.setEnabled(self._answers)
        self._more_button.setVisible(first is not None)
        if first is None:
            self._other_groups.setVisible(False)
            return
        self._more_button.setText(f"{summary(first, len(self._found))} · look at 50")
        self._expression.setText(f"<code>{escape(first.expression)}</code>")
        self._tree.show_steps(first.steps, self._leaf(first))
        others = [
            f"{summary(each, len(self._found))}: {escape(each.expression)}" for each in groups[1:]
        ]
        self._other_groups.setText("<br>".join(others))
        self._other_groups.setVisible(bool(others))

    def _leaf(self, group: HolderGroup) -> str:
        name = self._row.type_name if self._row is not None else ""
        more = len(group.handles) - 1
        like = f" … and {more:,} like it" if more else ""
        return f"{name} {handle_text(group.handles[0])}{like}"

    def _link(self, where: str, text: str) -> str:
        safe = bytes(QUrl.toPercentEncoding(where).data()).decode()
        return (
            f'<a href="{safe}" style="color:{self._theme.accent}; '
            f'text-decoration:none">{escape(text)}</a>'
        )

    # inside ---------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self._progress_text.setText(text)
        self._progress_text.setVisible(bool(text))

    def _ask_next(self) -> None:
        if self._waiting:
            self._say(f"Asked the target about {handle_text(self._waiting[0])} …")
            self._questions.find_retainers(self._waiting[0])
        self._show_holders()

    def _give_up(self) -> None:
        if self._waiting:
            self._waiting = []
            self._questions.give_up()

    def _progress(self, handle: int, progress: SearchProgress) -> None:
        if self._waiting[:1] == [handle]:
            self._say(f"{progress.looked_at:,} objects looked at …")

    def _take(self, handle: int, found: Retainers) -> None:
        if self._waiting[:1] != [handle] or self._row is None:
            return
        self._waiting.pop(0)
        self._found[handle] = found
        self._known[self._row.key] = self._found
        self._say(f"Paused Python for {found.longest_step_secs * 1000:.1f} ms at most")
        self._ask_next()
        if not self._waiting:
            groups = self.groups
            holders = {each: group.expression for group in groups for each in group.handles}
            self.holder_found.emit(self._row.key, groups[0].root, holders)

    def _fail(self, handle: int, why: str) -> None:
        if self._waiting[:1] == [handle]:
            self._waiting = []
            self._say(why)
            self._show_holders()

    def _toggle_stack(self) -> None:
        self._shows_stack = not self._shows_stack
        self._stack_button.setText("Stack ▴" if self._shows_stack else "Stack ▾")
        self._show_facts()

    def _copy_expression(self) -> None:
        if self.groups:
            QGuiApplication.clipboard().setText(self.groups[0].expression)

    def _ask_mute(self) -> None:
        row = self._row
        if row is None or row.finding is None or self._findings is None:
            return
        reason, agreed = QInputDialog.getText(
            self, "Mute", f"Why is this no leak?\n{row.finding.headline}"
        )
        if agreed and reason.strip():
            self._findings.mute(row.finding.mute_key, reason.strip())

    def _follow(self, where: str) -> None:
        kind, _, value = QUrl.fromPercentEncoding(where.encode()).partition(":")
        if kind == "handle":
            self.handle_chosen.emit(int(value))
        else:
            file, _, line = value.rpartition(":")
            self.line_wanted.emit(file, int(line))


def _flat(text: str, slot: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("flat", True)
    button.clicked.connect(lambda: slot())
    return button
