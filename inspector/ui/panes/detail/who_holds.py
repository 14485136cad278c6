"""Holders of a handle's object: the count equation, and behind each of its terms the holders.

GUI thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, Protocol

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from inspector.model import wording
from inspector.model.equation import CountEquation, with_keepers, with_names
from inspector.model.holders import (
    NamedHolder,
    NativeHolders,
    PathStep,
    RetainerPath,
    Retainers,
    SearchProgress,
)
from inspector.model.native_calls import keepers_of
from inspector.model.snapshot import Snapshot, TargetState
from inspector.ui.kit.labels import quiet_label, rich_label, section_label
from inspector.ui.kit.theme import Theme
from inspector.ui.panes.detail.count_bar import TERMS, CountBar, sentence
from inspector.ui.panes.detail.trait_counts import TraitCounts
from inspector.vocabulary import handle_text

MOST_NAMED: Final = 20
"""Native holders that are named one by one."""
SEARCH_TIP: Final = (
    "Walks the target's heap in short steps, from the proxy up to a "
    "module, a class or a running function"
)
NO_ANSWER: Final = "This is not possible now: the target does not run any more"
_STEP_INDENT: Final = 12
"""Pixels that each step of a path moves in."""


class Holders(Protocol):
    """Asks the target; ``HolderQuestions``, or a fake.

    Answers come on the GUI thread, to the last caller.
    """

    def name_native(self, handle: int) -> None:
        """Which native references have a name?"""

    def find_retainers(self, handle: int) -> None:
        """What holds the proxy?"""

    def give_up(self) -> None:
        """Give up the search."""


class WhoHolds(QWidget):
    """The equation of one handle; a click on a term shows its holders."""

    handle_chosen = Signal(object)
    """``int``."""
    line_wanted = Signal(str, int)
    """A file and a line of it."""

    def __init__(
        self, theme: Theme, holders: Holders | None = None, parent: QWidget | None = None
    ) -> None:
        """Empty. Without ``holders`` there is no target to ask, and no term is a link."""
        super().__init__(parent)
        self._theme = theme
        self._holders = holders
        self._handle = 0
        self._snapshot: Snapshot | None = None
        self._plain: CountEquation | None = None
        self._names: NativeHolders | None = None
        self._keepers: tuple[NamedHolder, ...] = ()
        self._found: Retainers | None = None
        self._known: Mapping[int, Retainers] = {}
        self._is_searching = False
        self._build()

    def _build(self) -> None:
        self._equation = rich_label()
        self._equation.setObjectName("Count equation")
        self._equation.linkActivated.connect(self._open_term)
        self._bar = CountBar(self._theme)
        self._counts = TraitCounts()
        self._named = self._text("Native holders")
        self._progress = quiet_label("")
        self._progress.setObjectName("Progress of the search")
        self._progress.setWordWrap(True)
        self._stop = QPushButton("Stop")
        self._stop.setProperty("flat", True)
        self._stop.clicked.connect(self.stop)
        self._search = QPushButton("Who holds it")
        self._search.setToolTip(SEARCH_TIP)
        self._search.clicked.connect(self.look)
        self._paths_title = section_label("Paths from Python")
        self._paths = self._text("Paths from Python")
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._search)
        line.addWidget(self._stop)
        line.addStretch(1)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(8)
        for widget in (
            section_label("Who holds it"),
            self._equation,
            self._bar,
            self._counts,
            self._named,
        ):
            inside.addWidget(widget)
        inside.addLayout(line)
        for widget in (self._progress, self._paths_title, self._paths):
            inside.addWidget(widget)
        self._say("")
        self._show_state()

    def _text(self, name: str) -> QLabel:
        label = rich_label()
        label.setObjectName(name)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        label.linkActivated.connect(self._follow)
        label.setVisible(False)
        return label

    # calls from other parts -----------------------------------------------------------------------

    @property
    def bar(self) -> CountBar:
        """The equation as a picture."""
        return self._bar

    @property
    def has_paths(self) -> bool:
        """A search has ended, and its finds are shown."""
        return self._paths.isVisibleTo(self)

    @property
    def found(self) -> Mapping[int, Retainers]:
        """The holders that are shown, by handle."""
        return {self._handle: self._found} if self._found is not None else {}

    def restore(self, known: Mapping[int, Retainers]) -> None:
        """Show these holders with their handles: a file has them, and no target can be asked."""
        self._known = known

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self._bar.set_theme(theme)
        self._show_equation()

    def show_handle(self, handle: int, equation: CountEquation, snapshot: Snapshot) -> None:
        """Show this equation; another handle than before forgets the finds."""
        self._snapshot, self._plain = snapshot, equation
        if handle != self._handle:
            self.stop()
            self._handle, self._names = handle, None
            for label in (self._named, self._paths, self._paths_title):
                label.setVisible(False)
            self._found = None
            self._say("")
            if handle in self._known:
                self.show_retainers(handle, self._known[handle])
        self._keepers = keepers_of(snapshot, handle)
        self._show_state()
        self._show_equation()
        self._show_named()

    def show_native(self, handle: int, names: NativeHolders) -> None:
        """The native references that have a name."""
        if handle == self._handle:
            self._names = names
            self._show_named()
            self._show_equation()

    def show_progress(self, handle: int, progress: SearchProgress) -> None:
        """The search is on its way."""
        if handle == self._handle and self._is_searching:
            self._say(
                f"{progress.looked_at:,} objects looked at, "
                f"{wording.plural(progress.found, 'path', 'paths')} found …"
            )

    def show_retainers(self, handle: int, found: Retainers) -> None:
        """The search has ended."""
        if handle == self._handle:
            self._is_searching = False
            self._found = found
            self._paths.setText(paths_text(found, self._theme))
            self._paths.setVisible(True)
            self._paths_title.setVisible(True)
            self._say(summary(found))
            self._show_state()

    def show_failure(self, handle: int, why: str) -> None:
        """The target refused, or was not asked to the end."""
        if handle == self._handle:
            self._is_searching = False
            self._say(why)
            self._show_state()

    def look(self) -> None:
        """Look for the holders of the proxy."""
        if self._holders is not None and self._handle:
            self._is_searching = True
            self._say("Asked the target …")
            self._show_state()
            self._holders.find_retainers(self._handle)

    def stop(self) -> None:
        """Give the search up."""
        if self._is_searching and self._holders is not None:
            self._holders.give_up()
            self._is_searching = False
            self._say("Given up")
        self._show_state()

    @property
    def counts(self) -> TraitCounts:
        """The counts of a trait, each on its own."""
        return self._counts

    # inside ---------------------------------------------------------------------------------------

    def _show_state(self) -> None:
        self._search.setVisible(self._holders is not None and not self._is_searching)
        answers = _answers(self._snapshot)
        self._search.setEnabled(answers)
        self._search.setToolTip(SEARCH_TIP if answers else NO_ANSWER)
        self._stop.setVisible(self._is_searching)

    def _say(self, text: str) -> None:
        """How far the search is, or how it ended."""
        self._progress.setText(text)
        self._progress.setVisible(bool(text))

    def _open_term(self, term: str) -> None:
        """A term of the equation was clicked."""
        if term == "proxies":
            self.look()
        elif self._holders is not None and self._handle:
            self._holders.name_native(self._handle)

    def _show_equation(self) -> None:
        if self._plain is None:
            return
        if self._names is not None:
            equation = with_names(self._plain, self._names.beside(self._keepers))
        else:
            equation = with_keepers(self._plain, self._keepers)
        self._bar.show_equation(equation)
        self._counts.show_counts(equation.parts, equation.strong, equation.weak)
        weak = (
            f"; weak\u00a0{equation.weak:,}"
            if equation.weak >= 0 and equation.parts is None
            else ""
        )
        text = escape(sentence(equation)) + weak
        if self._holders is not None:
            for name, one, many in TERMS:
                text = self._linked(text, name, wording.plural(getattr(equation, name), one, many))
        self._equation.setText(text)

    def _linked(self, text: str, name: str, term: str) -> str:
        """The sentence with a term as a link."""
        link = (
            f'<a href="{name}" style="color:{self._theme.accent}; text-decoration:none">{term}</a>'
        )
        before, found, after = text.partition(term)
        return before + link + after if found and name in ("proxies", "native", "named") else text

    def _show_named(self) -> None:
        """Native holders: holders in the table, and holders that the target named."""
        if self._names is None and not self._keepers:
            self._named.setVisible(False)
            return
        names = self._names if self._names is not None else NativeHolders(())
        self._named.setText(self._native_text(names.beside(self._keepers)))
        self._named.setVisible(True)

    def _native_text(self, names: NativeHolders) -> str:
        lines = []
        for holder in names.named[:MOST_NAMED]:
            times = f" × {holder.count:,}" if holder.count > 1 else ""
            lines.append(
                f"{escape(holder.text())}{times}{self._of_object(holder.address)}{self._of_row(holder)}"
            )
        more = sum(holder.count for holder in names.named[MOST_NAMED:]) + names.unnamed
        if more:
            lines.append(f"and {more:,} more")
        if names.unread:
            lines.append(
                f"{wording.plural(names.unread, 'object', 'objects')} could not be "
                "asked: another thread was changing them"
            )
        if any(not holder.is_exact for holder in names.named):
            lines.append("≈ was found by reading memory and may be wrong")
        if not lines:
            return "No native reference on it has a name: no object reports it, and it has no label"
        return "Native holders<br>" + "<br>".join(lines)

    def _of_object(self, address: int) -> str:
        """The handle of a holder, if it has a handle."""
        handles = self._snapshot.handles if self._snapshot is not None and address else None
        rows = [] if handles is None else (handles.addresses == address).nonzero()[0][:1].tolist()
        if handles is None or not rows:
            return ""
        return f" of {self._link_to(int(handles.ids[rows[0]]))}"

    def _of_row(self, holder: NamedHolder) -> str:
        """Age and handle of the row that stands for a reference."""
        if not holder.handle or self._snapshot is None:
            return ""
        age = (
            ""
            if math.isnan(holder.since)
            else f", {wording.age(self._snapshot.taken_at - holder.since)}"
        )
        return f"{age} {self._link_to(holder.handle)}"

    def _link_to(self, number: int) -> str:
        return (
            f'<a href="handle:{number}" style="color:{self._theme.accent}; '
            f'text-decoration:none">{handle_text(number)}</a>'
        )

    def _follow(self, where: str) -> None:
        kind, _, value = QUrl.fromPercentEncoding(where.encode()).partition(":")
        if kind == "handle":
            self.handle_chosen.emit(int(value))
        else:
            file, _, line = value.rpartition(":")
            self.line_wanted.emit(file, int(line))


def _answers(snapshot: Snapshot | None) -> bool:
    """Whether the target can still be asked."""
    return snapshot is None or snapshot.target.state in (TargetState.LIVE, TargetState.HUNG)


def summary(found: Retainers) -> str:
    """The extent of a search, and its cost."""
    text = (
        f"{found.looked_at:,} objects looked at; paused Python for "
        f"{found.longest_step_secs * 1000:.1f} ms at most"
    )
    return "; ".join(
        [text, *(["the search ended at its limit"] if found.is_cut else []), *found.notes()]
    )


def paths_text(found: Retainers, theme: Theme) -> str:
    """The paths as rich text, each from its root down."""
    if not found.paths and not found.unseen:
        return "Nothing in Python holds the proxy: a running call or native code may"
    parts = [_path_text(path, theme) for path in found.paths]
    more = found.holders - len(found.paths)
    if more > 0:
        parts.append(f"<p>and {more:,} more holders</p>")
    if found.unseen:
        lines = [escape(each.line()) for each in found.unseen]
        parts.append(f"<p>{'<br>'.join(['unknown to the collector', *lines])}</p>")
    return "".join(parts)


def _path_text(path: RetainerPath, theme: Theme) -> str:
    head = (
        ""
        if path.is_rooted
        else f'<span style="color:{theme.text_quiet}">no root found: garbage, or held by an '
        "object that the collector does not "
        "see</span><br>"
    )
    return f"<p>{head}{'<br>'.join(_steps(path.steps, theme))}</p>"


def _steps(steps: Sequence[PathStep], theme: Theme) -> list[str]:
    lines = []
    for depth, step in enumerate(steps):
        indent = "&nbsp;" * (depth * _STEP_INDENT // 4)
        arrow = f"{indent}└ " if depth else ""
        text = escape(step.text)
        if step.file:
            where = bytes(QUrl.toPercentEncoding(f"line:{step.file}:{step.line}").data()).decode()
            name = f"{step.file.rpartition('/')[2]}:{step.line}"
            text += (
                f' <a href="{where}" style="color:{theme.accent}; '
                f'text-decoration:none">{escape(name)}</a>'
            )
        lines.append(arrow + (f"<b>{text}</b>" if depth == 0 else text))
    return lines
