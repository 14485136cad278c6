"""The part *Grows* of the verdict strip: the suspects, one a line. GUI thread only."""

from __future__ import annotations

import math
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from inspector.model.changes import ChangeTable
from inspector.model.findings.judge import Report
from inspector.model.findings.leads import Lead
from inspector.model.verdict import Suspect, suspects_of
from inspector.model.wording import age, plural
from inspector.ui.kit.labels import ElidedLabel, set_flag
from inspector.ui.kit.theme import Theme
from inspector.ui.shell.verdict.lead_line import LeadLine
from inspector.ui.shell.verdict.suspect_line import SuspectLine

LINES: Final = 2
"""Suspects that are shown; the rest is in a menu."""


class GrowsPart(QWidget):
    """Title, suspects, and a sentence where there is none."""

    suspect_chosen = Signal(object)
    """``Suspect``: its row and its holders are to be shown."""
    findings_wanted = Signal()
    """All rules are to be shown."""
    follow_wanted = Signal(str)
    """The module whose classes are to be followed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Nothing is known yet."""
        super().__init__(parent)
        self.setObjectName("grows")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._suspects: tuple[Suspect, ...] = ()
        self._report: Report | None = None
        self._holders: dict[str, str] = {}
        self._is_compact = False
        self._title = QPushButton("GROWS")
        self._title.setProperty("flat", True)
        self._title.setProperty("section", True)
        self._title.setAccessibleName("Findings")
        self._title.setToolTip("Show all rules and their findings")
        self._title.clicked.connect(self.findings_wanted)
        self._sentence = ElidedLabel()
        self._sentence.setObjectName("Verdict on growth")
        self._sentence.setProperty("quiet", True)
        self._more = QPushButton("")
        self._more.setProperty("flat", True)
        self._more.setAccessibleName("More suspects")
        self._more.clicked.connect(self._open_menu)
        self._lead, self._can_follow = Lead(), False
        self.lead = LeadLine()
        self.lead.follow_wanted.connect(self.follow_wanted)
        self.lines = tuple(SuspectLine(theme) for _ in range(LINES))
        for line in self.lines:
            line.clicked.connect(lambda _on=False, line=line: self._choose(line.suspect))
        self._lay_out()
        self._show()

    # calls from other parts -----------------------------------------------------------------------

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """All of them, in their order."""
        return self._suspects

    def show_table(self, table: ChangeTable | None) -> None:
        """Newer rates and small lines; a suspect keeps its place."""
        found = suspects_of(table) if table is not None else ()
        before = {each.finding.key: place for place, each in enumerate(self._suspects)}
        self._suspects = tuple(
            sorted(found, key=lambda each: before.get(each.finding.key, len(before)))
        )
        self._show()

    def show_report(self, report: Report) -> None:
        """The rules' conclusion, shown without suspects."""
        self._report = report
        self._show()

    def show_lead(self, lead: Lead | None, *, can_follow: bool) -> None:
        """The libraries that no rule looks at; ``None``: not known."""
        self._lead, self._can_follow = lead or Lead(), can_follow
        self._show()

    def learn_holder(self, key: str, holder: str) -> None:
        """The root that holds the suspect's row."""
        self._holders[key] = holder
        self._show()

    def clear(self) -> None:
        """Another target."""
        self._suspects, self._holders = (), {}
        self._show()

    def set_compact(self, *, compact: bool) -> None:
        """One line with the title before it."""
        if compact != self._is_compact:
            self._is_compact = compact
            self._lay_out_lines()
            self._show()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        for line in self.lines:
            line.set_theme(theme)

    def step(self, direction: int) -> None:
        """Choose the next suspect, or with -1 the one before."""
        if self._suspects:
            places = [place for place, line in enumerate(self._suspects) if line.key == self._now]
            place = (places[0] + direction) % len(self._suspects) if places else 0
            self._choose(self._suspects[place])

    def show_chosen(self, key: str) -> None:
        """Mark the line of the row that is selected."""
        self._now = key
        for line in self.lines:
            line.setChecked(line.suspect is not None and bool(key) and line.suspect.key == key)

    # inside ---------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._now = ""
        self._head = QHBoxLayout()
        self._head.setSpacing(4)
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(8, 4, 8, 4)
        self._body.setSpacing(1)
        self._body.addLayout(self._head)
        self._lay_out_lines()

    def _lay_out_lines(self) -> None:
        for layout in (self._head, self._body):
            for widget in (self._title, self._sentence, self._more, self.lead, *self.lines):
                layout.removeWidget(widget)
        self._head.addWidget(self._title)
        if self._is_compact:
            self._head.addWidget(self.lines[0], 1)
            self._head.addWidget(self.lead, 1)
        self._head.addWidget(self._sentence, 1)
        self._head.addWidget(self._more)
        if not self._is_compact:
            for line in (*self.lines, self.lead):
                self._body.addWidget(line)
        self._body.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._body.setContentsMargins(8, 0 if self._is_compact else 4, 8, 0)

    def _show(self) -> None:
        shown = 1 if self._is_compact else LINES
        count = len(self._suspects)
        for place, line in enumerate(self.lines):
            is_on = place < min(shown, count)
            if is_on:
                suspect = self._suspects[place]
                line.show_suspect(suspect, self._holders.get(suspect.key, ""))
            line.setVisible(is_on)
        has_lead = bool(self._lead.libraries) and count < shown
        if has_lead:
            self.lead.show_lead(self._lead, can_follow=self._can_follow)
        self.lead.setVisible(has_lead)
        set_flag(self, "suspect", on=bool(count))
        set_flag(self._title, "suspect", on=bool(count))
        self._sentence.set_whole(self._text())
        self._sentence.setVisible(not (self._is_compact and (count or has_lead)))
        more = count - shown
        self._more.setText(f"+{more} more ▾" if more > 0 else "")
        self._more.setVisible(more > 0)

    def _text(self) -> str:
        memory = "" if self._report is None else self._report.memory()
        grows = f" · {memory}" if memory else ""
        if self._suspects:
            return f"{plural(len(self._suspects), 'suspect')} since attach{grows}"
        if self._report is None or math.isnan(self._report.at):
            return "Nothing is known yet"
        muted = sum(bool(each.muted) for each in self._report.findings)
        also = f" · {plural(muted, 'finding')} muted" if muted else ""
        watched = age(self._report.observed_secs)
        return f"{self._report.conclusion()}, watched for {watched}{grows}{also}"

    def _choose(self, suspect: Suspect | None, _checked: bool = False) -> None:
        if suspect is not None:
            self.show_chosen(suspect.key)
            self.suspect_chosen.emit(suspect)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        for suspect in self._suspects:
            text = suspect.sentence.replace("&", "&&")
            menu.addAction(text).triggered.connect(partial(self._choose, suspect))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))
