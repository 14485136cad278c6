"""Every pane and dialog of the window, empty and filled, in both themes and sizes, to be looked at.

Run by ``./dev gallery FOLDER [SCENE]…``; the scenes are ``demo``, ``replay`` and ``outside``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from PySide6.QtWidgets import QWidget

from inspector.commands.demo import closable_handle
from inspector.commands.support.offscreen import OffscreenWindow, use_offscreen
from inspector.model.snapshot import Lost
from inspector.ui.panes.cycles.pane import CyclesPane
from inspector.ui.panes.findings.pane import FindingsPane
from inspector.ui.panes.threads.pane import STACKS_PAGE
from inspector.ui.shell.command_palette import CommandPalette
from inspector.ui.shell.losses_dialog import LossesDialog
from inspector.ui.shell.pane_list import PANES

SIZES = ((1440, 900), (900, 600))
THEMES = ("light", "dark")
GROWN = 1_500
_DRAW_MILLIS = 350
_FILL_MILLIS = 1_500
RECORDED_MILLIS = 6_000
REPLAYED_SHARE = 0.4
"""Of the recording, where the replay is looked at."""
SERVICE = Path(__file__).resolve().parent / "walkthrough" / "wallet_service.py"
OUTSIDE_PANES = (
    "handles",
    "pending",
    "threads",
    "findings",
    "events",
    "history",
    "marks",
    "flame",
    "cycles",
    "audit",
)
LOSSES = (
    "untracked_handles",
    "events",
    "sites",
    "unreadable",
    "panics",
    "misuse_stale",
    "misuse_closed",
    "sampler_skips",
)
"""Counters that the dialog of losses is shown with: the demo loses nothing."""


class Gallery:
    """One window in one theme and size, and the pictures taken of it."""

    def __init__(self, offscreen: OffscreenWindow, folder: Path, name: str) -> None:
        """Pictures are written into ``folder``, their names end in ``name``."""
        self._offscreen = offscreen
        self._window = offscreen.window
        self._folder = folder
        self._name = name

    def take(self, what: str, widget: QWidget | None = None) -> None:
        """A picture of the window, or of a dialog over it."""
        self._offscreen.run_for(_DRAW_MILLIS)
        path = self._folder / f"{what}-{self._name}.png"
        (widget or self._window).grab().save(str(path))
        print(path, flush=True)

    def take_demo(self) -> None:
        """The start page, then each pane and dialog on the demo."""
        self._offscreen.run_for(1500)
        self.take("start")
        self._offscreen.start_demo()
        self.take("first-moment")
        self._offscreen.wait(lambda: self._grown(), "a grown table")
        self._offscreen.wait_settled()
        self.take("session")
        for spec in PANES:
            self._window.workbench.open_pane(spec.key)
            self.take(f"pane-{spec.key}")
        for place, name in ((1, "thread-matrix"), (2, "calls")):
            self._window.workbench.open_pane("threads")
            self._window.workbench.threads.show_page(place)
            self.take(name)
        self._fill()
        self._choose_and_close()
        for name, dialog in self._dialogs():
            self.take(name, dialog)
            dialog.close()
        self._window.workbench.handles.set_filter("type:Nothing")
        self.take("no-match")

    def take_replay(self) -> None:
        """The demo recorded, with two marks, then its file at three moments."""
        recording = self._window.recording
        said: list[str] = []
        recording.told.connect(lambda sentence, _tone: said.append(sentence))
        self._offscreen.start_demo()
        self._offscreen.wait_settled()
        self._window.commands["record"].trigger()
        self._offscreen.wait(lambda: recording.is_on, "the recording")
        for name in ("warm", "busy"):
            self._offscreen.run_for(RECORDED_MILLIS // 3)
            self._window.marks.mark_now(name)
        self._offscreen.run_for(RECORDED_MILLIS // 3)
        self.take("recording")
        self._window.commands["record"].trigger()
        self._offscreen.wait(lambda: said[-1].startswith("Recorded "), "the file")
        path = Path(said[-1].rsplit(": ", 1)[1])
        self._window.attachment.open_file(path)
        replay = self._window.replay
        self._offscreen.wait(replay.isVisible, "the replay")
        self.take("replay-end")
        replay.slider.setValue(int(replay.slider.maximum() * REPLAYED_SHARE))
        self.take("replay-seek")
        replay.toggle()
        self.take("replay-plays")
        path.unlink()

    def take_outside(self) -> None:
        """Panes of a process that holds no agent, read out of its memory."""
        with service() as pid:
            self._offscreen.attach(pid, read_only=True)
            self._offscreen.wait_settled()
            self._offscreen.run_for(_FILL_MILLIS)
            snapshot = self._offscreen.snapshot
            bench = self._window.workbench
            for key in OUTSIDE_PANES:
                if key != "handles":
                    bench.open_pane(key)
                if key == "threads":
                    bench.threads.show_page(STACKS_PAGE)
                self.take(f"outside-{key}")
            if snapshot is not None and len(snapshot.handles):
                bench.choose(int(snapshot.handles.ids[0]))
                for key in ("detail", "history"):
                    bench.open_pane(key)
                    self.take(f"outside-chosen-{key}")

    def _fill(self) -> None:
        """A finding's evidence, the changes since a mark, and a search for cycles."""
        bench = self._window.workbench
        bench.open_pane("findings")
        bench.pane("findings", FindingsPane).table.selectRow(0)
        self.take("finding")
        self._window.commands["mark"].trigger()
        bench.open_pane("marks")
        self._offscreen.run_for(_FILL_MILLIS)
        bench.marks.list.setCurrentRow(0)
        self._offscreen.run_for(_FILL_MILLIS)
        self.take("mark-chosen")
        bench.open_pane("cycles")
        bench.pane("cycles", CyclesPane).look.click()
        self._offscreen.run_for(2 * _FILL_MILLIS)
        self.take("cycles-looked-for")

    def _choose_and_close(self) -> None:
        """A handle's detail, a close with its plan, a collection's figures, the acts."""
        bench, attachment = self._window.workbench, self._window.attachment
        self._offscreen.wait(lambda: attachment.situation.can.act, "the target's control socket")
        attachment.set_armed(True)
        snapshot = self._offscreen.snapshot
        handle = closable_handle(snapshot) if snapshot else None
        if handle is not None:
            bench.choose(handle)
            self.take("detail")
            bench.open_pane("history")
            self.take("history-of-one")
        bench.handles.set_filter("type:Journal,Cursor,Churn,TodoItem")
        self._window.commands["close_shown"].trigger()
        dialog = self._window.closing.dialog
        if dialog is not None:
            self._offscreen.wait(lambda: dialog.steps.table.rowCount() > 0, "the plan")
            dialog.needed.setChecked(True)
            self.take("close-many", dialog)
            dialog.reject()
        bench.handles.set_filter("")
        self._window.target_actions.force_gc()
        self._offscreen.wait(lambda: not attachment.situation.busy, "the collection")
        self._window.target_actions.drain()
        self._offscreen.wait(lambda: not attachment.situation.busy, "the drain")
        self._window.target_actions.force_gc()
        self._offscreen.wait(lambda: not attachment.situation.busy, "the collection")
        bench.open_pane("audit")
        self.take("collected")

    def _dialogs(self) -> Iterator[tuple[str, QWidget]]:
        palette = CommandPalette(
            (*self._window.commands.all(), *self._window.workbench.pane_actions()), self._window
        )
        palette.show()
        yield "palette", palette
        for name, lost in (
            ("losses-none", Lost({})),
            ("losses", Lost({key: 3_204 * (place + 1) for place, key in enumerate(LOSSES)})),
        ):
            losses = LossesDialog(lost, self._window)
            losses.show()
            yield name, losses

    def _grown(self) -> bool:
        snapshot = self._offscreen.snapshot
        return snapshot is not None and snapshot.live_count() > GROWN


@contextmanager
def service() -> Iterator[int]:
    """The walkthrough's service, unprepared; returns its process id."""
    command = [sys.executable, str(SERVICE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 our own
        if process.stdout is not None:
            process.stdout.readline()
        yield process.pid
        process.communicate(timeout=30)


SCENES = MappingProxyType(
    {"demo": Gallery.take_demo, "replay": Gallery.take_replay, "outside": Gallery.take_outside}
)


def main(make: Callable[..., OffscreenWindow] = OffscreenWindow) -> None:
    """Writes all pictures, or the pictures of the named scenes, into the named folder."""
    use_offscreen()
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    scenes = sys.argv[2:] or list(SCENES)
    for theme in THEMES:
        for width, height in SIZES:
            for scene in scenes:
                with make(theme=theme, width=width, height=height) as offscreen:
                    SCENES[scene](Gallery(offscreen, folder, f"{theme}-{width}"))


if __name__ == "__main__":
    main()
