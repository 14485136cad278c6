"""The session that the window shows, from attach to detach: its requests and its answers.

Apart from the widgets so that they only listen. All slots and signals on the GUI thread; blocking
work uses the runner.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from inspector.model.caps import Use
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.window_state import WindowState
from inspector.session.protocol import Pictured, Replay, Session
from inspector.ui.session.answer_texts import error_sentence
from inspector.ui.session.bridge import BackgroundRunner, Bridge, prepare
from inspector.ui.session.connector import Connector
from inspector.ui.session.situation import Situation
from inspector.vocabulary import Level

RATES_HZ: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
DEFAULT_RATE_HZ: Final = 10.0
VITALS_HZ: Final = 60.0
"""Counters are cheap: read this often whatever the rate of snapshots, so that the timeline moves
smoothly."""
UNWATCHED_HZ: Final = 1.0
"""Snapshots and counters while the window is hidden or minimised: enough for the findings, and for
a timeline without gaps."""
T = TypeVar("T")


class Attachment(QObject):
    """Holds at most one session."""

    changed = Signal(object)
    """``Situation``."""
    began = Signal()
    """A session was opened; nothing of the one before is valid."""
    finished = Signal()
    """Detached."""
    snapshot_shown = Signal(object)
    """``Snapshot`` for the panes; none while paused."""
    snapshot_seen = Signal(object)
    """``Snapshot``, also while paused: for chip, banner and vital signs."""
    watched_again = Signal(object)
    """The newest ``Snapshot``, when a person can see the window again."""
    vitals_seen = Signal(object)
    """``Vitals``."""
    told = Signal(str, str)
    """A sentence and its tone (``plain``, ``waiting`` or ``alarm``) for the result bar."""

    def __init__(
        self, connector: Connector, runner: BackgroundRunner, parent: QObject | None = None
    ) -> None:
        """No session yet."""
        super().__init__(parent)
        self._connector = connector
        self._runner = runner
        self._bridge = Bridge(self)
        self._session: Session | None = None
        self._round = 0
        self.snapshot: Snapshot | None = None
        """The newest one, also while paused."""
        self.shown: Snapshot | None = None
        """The one that the panes show."""
        self.past: Snapshot | None = None
        """The state of an earlier moment, while a person looks back."""
        self.rate_hz = DEFAULT_RATE_HZ
        self._watched = True
        self._recorded = False
        self.removal: Future[str] | None = None
        """What becomes of the last agent that was told to go: why it stays, or ``""``."""
        self.removes_replaced: Callable[[], bool] = lambda: True
        """Whether an agent that was brought in goes when another session takes the place of its
        own."""
        self.situation = Situation()
        self._bridge.snapshot_arrived.connect(self._take_snapshot)
        self._bridge.vitals_arrived.connect(self.vitals_seen)

    @property
    def skipped(self) -> int:
        """Snapshots that came faster than the window could show them."""
        return self._bridge.skipped

    def uses(self) -> tuple[Use, ...]:
        """The amounts that wait for the window."""
        return self._bridge.uses()

    @property
    def replay(self) -> Replay | None:
        """The recording that is shown, when it is one with time to go through."""
        return self._session if isinstance(self._session, Replay) else None

    @property
    def pictured(self) -> WindowState | None:
        """The state of the window in the screenshot that is shown, when it is one."""
        return self._session.state if isinstance(self._session, Pictured) else None

    @property
    def is_picture(self) -> bool:
        """A screenshot is shown."""
        return isinstance(self._session, Pictured)

    @property
    def session(self) -> Session | None:
        """The session shown, for objects that live as long: a recorder."""
        return self._session

    def ask_replay(
        self, question: Callable[[Replay], Future[T]], on_result: Callable[[T], None]
    ) -> None:
        """Ask the recording, if it is a recording."""
        replay = self.replay
        if replay is not None:
            self.ask(lambda _session: question(replay), on_result)

    # opening and ending ---------------------------------------------------------------------------

    def attach(self, pid: int) -> None:
        """Open a session on a process."""
        self.open_with(lambda: self._connector.attach(pid), f"process {pid}")

    def bring(self, pid: int) -> None:
        """Load an agent into a process that has none, and open a session on it.

        The person agreed to that.
        """
        self.open_with(lambda: self._connector.bring(pid), f"process {pid}")

    def look(self, pid: int) -> None:
        """Look at a process from outside: the read-only fallback."""
        self.open_with(lambda: self._connector.look(pid), f"process {pid} from outside")

    def start_demo(self, on_opened: Callable[[], None] | None = None) -> None:
        """Start the sample target.

        ``on_opened`` is called when that succeeded, before ``began``.
        """
        self.open_with(self._connector.start_demo, "the demo", on_opened)

    def open_file(self, path: Path) -> None:
        """Open a screenshot or session file."""

        def opened() -> Session:
            session = self._connector.open_file(path)
            self._connector.remember(path)
            return session

        self.open_with(opened, path.name)

    def open_with(
        self, work: Callable[[], Session], name: str, on_opened: Callable[[], None] | None = None
    ) -> None:
        """Open the session that ``work`` makes, off the GUI thread.

        The present one ends when it succeeded.
        """
        self._round += 1
        this_round = self._round
        self._change(connecting=True)
        self.told.emit(f"Opening {name} …", "plain")

        def opened() -> Session:
            session = work()
            if session.latest is not None:
                prepare(session.latest)
            return session

        self._runner.run(
            opened,
            lambda session: self._opened(session, this_round, on_opened),
            lambda error: self._failed_to_open(error, this_round),
        )

    def detach(self, *, remove: bool = False) -> None:
        """End the session.

        ``remove``: have the agent that was brought in go first, which may take until the
        interpreter comes by.
        """
        if self._session is None:
            return
        session, self._session = self._session, None
        self._round += 1  # answers that still come are nobody's
        self._bridge.unfollow()
        self._end(session, remove=remove)
        self.snapshot = self.shown = self.past = None
        self.situation = Situation()
        self.changed.emit(self.situation)
        self.finished.emit()

    # asking ---------------------------------------------------------------------------------------

    def set_paused(self, paused: bool) -> None:
        """Freeze the panes, or let them follow again from the newest snapshot on."""
        if paused == self.situation.paused:
            return
        self._change(paused=paused)
        if not paused and self.snapshot is not None and self.snapshot is not self.shown:
            self._show(self.snapshot)

    def look_back(self, past: Snapshot | None) -> None:
        """Show the state of an earlier moment while the panes are paused; ``None``: no more."""
        self.past = past
        if past is not None:
            self._show(past)

    def set_armed(self, armed: bool) -> None:
        """Allow actions that change the target, until the session ends."""
        self._change(armed=armed and self.situation.can.act)

    def set_rate(self, rate_hz: float) -> None:
        """Snapshots per second."""
        self.rate_hz = rate_hz
        self._set_interval()

    @property
    def is_watched(self) -> bool:
        """Whether a person can see the window."""
        return self._watched

    def set_watched(self, watched: bool) -> None:
        """A person can see the window now, or cannot.

        Then the panes get no snapshots; later they catch up with the newest.
        """
        if watched == self._watched:
            return
        self._watched = watched
        self._set_interval()
        if watched and self.snapshot is not None:
            self._catch_up(self.snapshot)

    def set_recorded(self, recorded: bool) -> None:
        """The session is recorded, so its rate does not depend on the window."""
        self._recorded = recorded
        self._set_interval()

    def set_level(self, level: Level) -> None:
        """Ask the target to record more or less."""
        self.ask(
            lambda session: session.set_level(level),
            lambda now: self.told.emit(f"The target records at level {now.name.lower()}", "plain"),
        )

    def ask(
        self,
        question: Callable[[Session], Future[T]],
        on_result: Callable[[T], None],
        *,
        on_error: Callable[[str], None] | None = None,
        busy: bool = False,
        quiet: bool = False,
    ) -> None:
        """Ask the session, if any; its answer comes back on the GUI thread.

        No answer comes when the session ended before.

        ``on_error`` is given why, a sentence, which the result bar says too unless ``quiet``.
        ``busy``: it is an action.
        """
        if self._session is None:
            return
        this_round = self._round
        if busy:
            self._change(busy=True)

        def result(value: T) -> None:
            if this_round == self._round:
                self._calm(busy=busy)
                on_result(value)

        def failed(error: BaseException) -> None:
            if this_round == self._round:
                self._calm(busy=busy)
                if not quiet:
                    self.told.emit(error_sentence(error), "alarm")
                if on_error is not None:
                    on_error(error_sentence(error))

        self._runner.watch(question(self._session), result, failed)

    # inside ---------------------------------------------------------------------------------------

    def _set_interval(self) -> None:
        if self._session is not None:
            is_needed = self._watched or self._recorded
            snapshots_hz = self.rate_hz if is_needed else min(self.rate_hz, UNWATCHED_HZ)
            vitals_hz = VITALS_HZ if is_needed else UNWATCHED_HZ
            self._session.set_interval(snapshot_secs=1 / snapshots_hz, vitals_secs=1 / vitals_hz)

    def _say_notices(self, notices: tuple[str, ...]) -> None:
        """The first of them, and how many more there are: ``arc-inspector adapters`` lists all."""
        if notices:
            more = (
                f" (and {len(notices) - 1} more, see arc-inspector adapters)"
                if len(notices) > 1
                else ""
            )
            self.told.emit(f"{notices[0]}{more}", "waiting")

    def _calm(self, *, busy: bool) -> None:
        if busy:
            self._change(busy=False)

    def _opened(
        self, session: Session, of_round: int, on_opened: Callable[[], None] | None
    ) -> None:
        if of_round != self._round:
            self._end(session, remove=session.capabilities.brought and self.removes_replaced())
            return
        self.detach(remove=self.situation.can.brought and self.removes_replaced())
        self._session = session
        self.ask(lambda opened: opened.notices(), self._say_notices, quiet=True)
        self.situation = Situation(attached=True, can=session.capabilities)
        self.told.emit("", "plain")
        if on_opened is not None:
            on_opened()
        self.began.emit()
        self.set_rate(self.rate_hz)
        self.changed.emit(self.situation)
        self._bridge.follow(session)

    def _failed_to_open(self, error: BaseException, of_round: int) -> None:
        if of_round == self._round:
            self._change(connecting=False)
            self.told.emit(error_sentence(error), "alarm")

    def _end(self, session: Session, *, remove: bool = False) -> None:
        """Off the GUI thread. The target is asked at once: the window may be about to close."""
        removal = session.remove_agent() if remove else None
        self.removal = removal or self.removal
        name = session.latest.target.name if session.latest else "the process"

        def work() -> str:
            try:
                return "" if removal is None else removal.result()
            finally:
                session.end()

        def done(stays: str) -> None:
            if removal is not None:
                self.told.emit(
                    f"The agent stays in {name}: {stays}"
                    if stays
                    else f"The agent was removed from {name}",
                    "plain",
                )

        self._runner.run(work, done, lambda error: self.told.emit(error_sentence(error), "alarm"))

    def _take_snapshot(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if self._session is not None:
            hung = snapshot.target.state is TargetState.HUNG
            answers = hung or snapshot.target.state is TargetState.LIVE
            self._change(
                can=self._session.capabilities, answers=answers, hung=hung, has_snapshot=True
            )
        self.snapshot_seen.emit(snapshot)
        if self._watched and not self.situation.paused:
            self._show(snapshot)

    def _catch_up(self, snapshot: Snapshot) -> None:
        self.watched_again.emit(snapshot)
        if not self.situation.paused and snapshot is not self.shown:
            self._show(snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        self.shown = snapshot
        self.snapshot_shown.emit(snapshot)

    def _change(self, **facts: Any) -> None:
        situation = dataclasses.replace(self.situation, **facts)
        if situation.armed and not situation.can.act:
            situation = dataclasses.replace(situation, armed=False)
        if situation != self.situation:
            self.situation = situation
            self.changed.emit(situation)
