"""The marks of a session, and their comparison off the GUI thread. GUI thread otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from PySide6.QtCore import QObject, Signal

from inspector.model.caps import MARK_BYTES, MARKS, Use
from inspector.model.diff import Diff, diff
from inspector.model.growth import Grown, growth
from inspector.model.marks import MarkedState, mark_later, mark_now
from inspector.model.snapshot import Snapshot
from inspector.model.window_state import ATTACHED
from inspector.model.wording import size
from inspector.ui.session.answer_texts import error_sentence
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner

MAX_MARKS: Final = MARKS.most

ATTACH_NAME: Final = "attach"

T = TypeVar("T")


class MarkBook(QObject):
    """Marks of one target, in the order of their time."""

    changed = Signal()
    """``marks`` are others."""
    baseline_changed = Signal()
    """The table compares with another state now."""
    marked = Signal(float, str)
    """A mark was set for that moment, with that name; not those of a recording, which has them."""
    compared = Signal(object)
    """``Diff``."""
    grown = Signal(object)
    """``tuple[Grown, ...]``: what every round of the growth test left behind."""
    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(
        self, attachment: Attachment, runner: BackgroundRunner, parent: QObject | None = None
    ) -> None:
        """No marks."""
        super().__init__(parent)
        self._attachment = attachment
        self._runner = runner
        self._round = 0
        self._named = 0
        self._comparing = False
        self._wish: tuple[MarkedState, MarkedState | None] | None = None
        self._left_out = 0
        self.marks: tuple[MarkedState, ...] = ()
        self.attached: MarkedState | None = None
        """The state when the session began, which is marked without being asked."""
        self._chosen: MarkedState | None = None
        self._is_attaching = False
        attachment.began.connect(self.clear)
        attachment.finished.connect(self.clear)
        attachment.snapshot_seen.connect(self._mark_attach)

    def clear(self) -> None:
        """Another target, or none."""
        self._round += 1
        self._named, self._comparing, self._wish, self.marks = 0, False, None, ()
        self._left_out = 0
        self.attached, self._chosen, self._is_attaching = None, None, False
        self.changed.emit()
        self.baseline_changed.emit()

    @property
    def baseline(self) -> MarkedState | None:
        """The state that the table compares with: the chosen mark, or that of attaching."""
        return self._chosen or self.attached

    def baselines(self) -> tuple[MarkedState, ...]:
        """The states that can be chosen, in the order of their time."""
        first = () if self.attached is None else (self.attached,)
        return (*first, *self.marks)

    def compare_with(self, mark: MarkedState | None) -> None:
        """Compare the table with a mark; ``None``: with the state when the session began."""
        self._chosen = None if mark is self.attached else mark
        self.baseline_changed.emit()

    def restore(
        self, attached: MarkedState | None, marks: tuple[MarkedState, ...], baseline: int
    ) -> None:
        """Take the marks of a file; ``baseline``: place of the baseline, or ``ATTACHED``."""
        self.attached, self.marks = attached, marks
        self._named = len(marks)
        self._chosen = marks[baseline] if baseline != ATTACHED else None

    def announce(self) -> None:
        """Tell the marks again, to parts that began with another snapshot."""
        self.changed.emit()
        self.baseline_changed.emit()

    @property
    def baseline_place(self) -> int:
        """The place of the baseline among the marks, or ``ATTACHED``."""
        places = [at for at, mark in enumerate(self.marks) if mark is self._chosen]
        return places[0] if places else ATTACHED

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (
            Use(MARKS, len(self.marks), self._left_out),
            Use(MARK_BYTES, _bytes_of(self.marks)),
        )

    def mark_now(self, name: str = "") -> None:
        """Mark the newest state, also while the panes are paused.

        In a recording it marks the moment that is shown.
        """
        snapshot = self._attachment.snapshot
        if snapshot is None:
            return
        chosen = name or self._next_name()
        self._make(lambda: mark_now(snapshot, chosen), snapshot.taken_at, chosen)

    def mark_at(self, at: float, released_since: int | None) -> None:
        """Mark a moment that has passed.

        In a recording it is marked as it was, else as far as it is still known.
        """
        past = self._attachment.past
        snapshot = self._attachment.shown if past is None else self._attachment.snapshot
        name = self._next_name()
        if self._attachment.replay is not None:
            self._mark_recorded(at, name)
        elif snapshot is not None:
            self._make(
                lambda: mark_later(snapshot, at, name, released_since=released_since), at, name
            )

    def take_recorded(self) -> None:
        """The marks that were set while the session was recorded."""
        replay = self._attachment.replay
        for at, name in replay.marks[:MAX_MARKS] if replay else ():
            self._mark_recorded(at, name)

    def remove(self, mark: MarkedState) -> None:
        """Forget a mark."""
        self._set(tuple(each for each in self.marks if each is not mark))

    def compare(self, one: MarkedState, other: MarkedState | None) -> None:
        """Compare two marks, or a mark with the present; ``compared`` follows.

        The newest of the requests that come meanwhile counts.
        """
        self._wish = (one, other)
        if not self._comparing:
            self._compare()

    def test_growth(self, marks: tuple[MarkedState, ...]) -> None:
        """Find the handles that every round between these marks left behind; ``grown`` follows."""

        def work() -> tuple[Grown, ...]:
            return growth(marks)

        self._run(work, self.grown.emit)

    def _compare(self) -> None:
        wish, snapshot = self._wish, self._attachment.shown
        if wish is None:
            return
        one, other = wish

        def done(found: Diff) -> None:
            self._comparing = False
            if self._wish is wish:
                self.compared.emit(found)
            else:
                self._compare()

        if other is not None:
            self._comparing = True
            self._run(lambda: diff(one, other), done)
        elif snapshot is not None:
            self._comparing = True
            self._run(lambda: diff(one, mark_now(snapshot, "now")), done)

    def _mark_attach(self, snapshot: Snapshot) -> None:
        """Mark the first state of a session; of a recording, the state at its beginning.

        A picture has its mark, or none is known: its only state is no earlier one.
        """
        if self.attached is not None or self._is_attaching or self._attachment.is_picture:
            return
        self._is_attaching = True
        replay, this_round = self._attachment.replay, self._round

        def read(first: Snapshot) -> None:
            if this_round == self._round:
                self._run(lambda: mark_now(first, ATTACH_NAME), self._begin_with)

        if replay is not None and len(replay.moments):
            begin = float(replay.moments[0])
            self._attachment.ask_replay(lambda each: each.state_at(begin), read)
        else:
            read(snapshot)

    def _begin_with(self, mark: MarkedState) -> None:
        self.attached = mark
        self.baseline_changed.emit()

    def _make(self, work: Callable[[], MarkedState], at: float, name: str) -> None:
        self.marked.emit(at, name)
        self._run(work, self._add)

    def _mark_recorded(self, at: float, name: str) -> None:
        this_round = self._round

        def read(snapshot: Snapshot) -> None:
            if this_round == self._round:
                self._run(lambda: mark_now(snapshot, name), self._add)

        self._attachment.ask_replay(lambda replay: replay.state_at(at), read)

    def _run(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        this_round = self._round

        def result(value: T) -> None:
            if this_round == self._round:
                done(value)

        def failed(error: BaseException) -> None:
            if this_round == self._round:
                self._comparing = False
                self.told.emit(error_sentence(error), "waiting")

        self._runner.run(work, result, failed)

    def _add(self, mark: MarkedState) -> None:
        marks, left = within_budget((*self.marks, mark), most=MAX_MARKS, most_bytes=MARK_BYTES.most)
        self._set(marks)
        if left:
            self._left_out += len(left)
            names = ", ".join(each.name for each in left)
            why = f"marks take {size(_bytes_of(marks))} of {size(MARK_BYTES.most)}"
            why = f"there are {MAX_MARKS} marks" if len(marks) == MAX_MARKS else why
            self.told.emit(f"Left out for want of room: {names}; {why}", "waiting")

    def _set(self, marks: tuple[MarkedState, ...]) -> None:
        self.marks = marks
        self.changed.emit()
        if self._chosen is not None and all(each is not self._chosen for each in marks):
            self.compare_with(None)

    def _next_name(self) -> str:
        self._named += 1
        return f"mark {self._named}"


def within_budget(
    marks: Iterable[MarkedState], *, most: int, most_bytes: int
) -> tuple[tuple[MarkedState, ...], tuple[MarkedState, ...]]:
    """The marks that are kept, in the order of their time, and the marks that leave.

    The first and the newest stay: growth since the beginning shows in them. A mark close to its
    neighbours in time leaves first.
    """
    kept, left = sorted(marks, key=lambda each: each.at), []
    while len(kept) > 2 and (len(kept) > most or _bytes_of(kept) > most_bytes):
        inner = range(1, len(kept) - 1)
        left.append(kept.pop(min(inner, key=lambda place: kept[place + 1].at - kept[place - 1].at)))
    return tuple(kept), tuple(left)


def _bytes_of(marks: Iterable[MarkedState]) -> int:
    return sum(each.size_bytes for each in marks)
