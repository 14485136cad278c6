"""The adapter for UniFFI: follows every generated module that is imported, now or later.

Nothing of a package is known here: modules are recognised by structure (``generation``), their
proxies and the Python objects that Rust holds become rows (``rows``, ``foreign``), and classes
carry hooks while attached (``hooks``).
"""

from __future__ import annotations

import gc
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from types import CoroutineType, FrameType, ModuleType
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.closed_uses import all_told
from inspector.agent.adapters.imports import ImportWatch, is_importing
from inspector.agent.adapters.protocol import CloseVerdict, CloseWish, Following
from inspector.agent.adapters.recorder import Recorder
from inspector.agent.adapters.running_frames import frames_of
from inspector.agent.adapters.uniffi.bindings import Bindings
from inspector.agent.adapters.uniffi.boundary import UniffiBoundary
from inspector.agent.adapters.uniffi.closing import Closing
from inspector.agent.adapters.uniffi.modules import ModuleFinder
from inspector.agent.adapters.uniffi.proxies import live_proxies
from inspector.agent.adapters.uniffi.running import RunningRows
from inspector.agent.faults import Faults
from inspector.agent.plain import mro_of
from inspector.agent.referrers import describe_referrers
from inspector.errors import InspectorError
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks

SLICE_ROWS: Final = 1_500
"""Rows added without letting other threads run; about half a millisecond."""
SLICE_CLOSED: Final = 100
"""Proxies asked whether they were closed without letting other threads run."""
SLICE_OBJECTS: Final = 60_000
"""Objects looked at without letting other threads run; about half a millisecond."""


def coroutines_alive() -> Iterator[list[weakref.ref[Any]]]:
    """All coroutines of the program, a slice of the heap at a time; not held meanwhile."""
    try:
        scan = hooks.Scan({CoroutineType: None})
    except RuntimeError:
        yield [weakref.ref(thing) for thing in gc.get_objects() if type(thing) is CoroutineType]
        return
    is_more = True
    while is_more:
        _, coroutines, is_more = scan.step(SLICE_OBJECTS, SLICE_ROWS)
        yield [weakref.ref(coroutine) for coroutine in coroutines]
        coroutines.clear()


class UniffiAdapter:
    """Follows the objects of UniFFI's bindings.

    Threads as ``Adapter`` says; hooks run on the program's threads.
    """

    name: Final = "uniffi"

    def __init__(self, recorder: Recorder | None = None) -> None:
        """Looks at nothing yet. Rows go to the process's recorder, unless another is given."""
        self._faults = Faults()
        self._recorder = recorder or Recorder()
        self._watch = ImportWatch(self._look_at)
        self._finder = ModuleFinder()
        self._bindings: list[Bindings] = []
        self._refused: list[str] = []
        self._is_scan_due = False
        self._was_off = False
        self.boundary = UniffiBoundary(self._followed)
        """The holders across the boundary."""

    def attach(self) -> None:
        """Set hooks on the generated modules that are imported."""
        self._was_off = not self._recorder.level()
        self._watch.set()
        self._follow_new_modules()

    def detach(self) -> None:
        """Remove all hooks; the classes' attributes are the originals again."""
        self._watch.undo()
        while self._bindings:
            self._bindings.pop().undo()

    def followed(self) -> Sequence[type]:
        """As ``ClosingHost`` says."""
        return [rows.proxy_class.cls for each in self._bindings for rows in each.proxies]

    def scan(self) -> Iterator[int]:
        """Rows for the proxies and foreign objects that live now and have none."""
        self._is_scan_due = False
        found = 0
        for found in self._scan_proxies():
            yield found
        for _ in self._ask_whether_closed():
            yield found
        for bindings in self._bindings:
            found += bindings.foreign.reconcile()
            yield found
        waiting = [bindings.calls for bindings in self._bindings if bindings.calls.are_pending()]
        if waiting:
            references: list[weakref.ref[Any]] = []
            for more in coroutines_alive():
                references += more
                yield found
            coroutines = [
                coroutine for reference in references if (coroutine := reference()) is not None
            ]
            found += sum(calls.adopt(coroutines) for calls in waiting)
            yield found

    def _scan_proxies(self) -> Iterator[int]:
        """Rows for proxies: natively, or through the collector if the heap's layout is unknown."""
        owners = {
            rows.proxy_class.cls: rows for bindings in self._bindings for rows in bindings.proxies
        }
        natives = {derived: owners[cls].native for cls in owners for derived in closure(cls)} | {
            cls: owners[cls].native for cls in owners
        }
        found = 0
        try:
            scan = hooks.Scan(natives)
        except RuntimeError:
            for proxy_class, references in live_proxies(
                [rows.proxy_class for rows in owners.values()]
            ):
                yield found
                for start in range(0, len(references), SLICE_ROWS):
                    found += owners[proxy_class.cls].adopt(references[start : start + SLICE_ROWS])
                    yield found
            return
        is_more = True
        while is_more:
            made, _, is_more = scan.step(SLICE_OBJECTS, SLICE_ROWS)
            found += made
            yield found

    def _ask_whether_closed(self) -> Iterator[None]:
        """Ask the proxies that were found whether they are released, if their class tells.

        In slices.
        """
        asked = [
            rows
            for bindings in self._bindings
            for rows in bindings.proxies
            if rows.closing and rows.closing.declaration.released
        ]
        owners = {rows.proxy_class: rows.closing for rows in asked}
        for proxy_class, references in live_proxies(list(owners)) if owners else ():
            closing = owners[proxy_class]
            for place, reference in enumerate(references):
                proxy = reference()
                if closing is not None and proxy is not None:
                    closing.settle(proxy)
                del proxy
                if place % SLICE_CLOSED == 0:
                    yield

    def poll(self) -> None:
        """New modules, proxies that ended silently, copies, and work left by hooks."""
        is_off = not self._recorder.level()
        self._is_scan_due |= self._was_off and not is_off
        self._was_off = is_off
        self._follow_new_modules()
        level = self._recorder.hottest()
        if not is_off:
            self._look_at_calls()
        for bindings in self._bindings:
            bindings.transit.follow(level)
            for rows in bindings.proxies:
                rows.reconcile()
                if rows.closing is not None:
                    rows.closing.look()
                    rows.closing.uses.follow(level)
            if bindings.foreign.is_behind() and not is_off:
                bindings.foreign.reconcile()
        if self._is_scan_due and not is_off:
            for _ in self.scan():
                time.sleep(0)
        fault = self._faults.take()
        if fault is not None:
            if isinstance(fault, InspectorError):
                raise fault
            raise InspectorError(
                f"following UniFFI failed: {type(fault).__name__}: {fault}"
            ) from fault

    def settle(self) -> None:
        """Say now which proxies are freed and still held."""
        for bindings in self._followed():
            for rows in bindings.proxies:
                rows.settle()

    def _look_at_calls(self) -> None:
        """Which calls run now, on all threads."""
        owners = {
            code: bindings.running
            for bindings in self._bindings
            for code in bindings.running.callers
        }
        found: dict[RunningRows, list[tuple[int, FrameType]]] = {
            rows: [] for rows in owners.values()
        }
        for thread, frame in frames_of(owners) if owners else ():
            found[owners[frame.f_code]].append((thread, frame))
        for rows, calls in found.items():
            rows.look(calls)

    def owns(self, row: int) -> bool:
        """Whether the row is of a live proxy or foreign object."""
        return any(row in bindings for bindings in self._bindings)

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        """Call the method that a declaration names.

        Without a declaration it is refused: UniFFI generates none that is known to close.
        """
        bindings = next((each for each in self._bindings if row in each), None)
        if bindings is None:
            return CloseVerdict("refused", "its proxy is gone")
        held = bindings.held(row)
        holders = () if held is None else tuple(describe_referrers(held))
        closing = bindings.closing_of(row)
        if closing is None or held is None:
            return CloseVerdict(
                "refused",
                bindings.refusal(row) if closing is None else "its proxy is gone",
                holders,
            )
        return closing.close(held, CloseWish(although_held, preview, withdraw_after_secs), holders)

    def opt_in(self, cls: type, declaration: Declaration) -> Closing | None:
        """As ``ClosingHost`` says."""
        module = sys.modules.get(cls.__module__)
        if module is not None and not is_importing(module):
            self._look_at(module)
        owners = {
            rows.proxy_class.cls: rows for bindings in self._bindings for rows in bindings.proxies
        }
        followed = next((base for base in mro_of(cls) if base in owners), None)
        if followed is None:
            return None
        rows = owners[followed]
        if followed is not cls:
            raise InspectorError(
                "UniFFI follows its objects as "
                f"{rows.proxy_class.origin}.{rows.proxy_class.name}: declare "
                "that class"
            )
        if rows.closing is not None:
            raise InspectorError("another declaration says how it closes")
        closing = Closing(rows, declaration, self._faults)
        closing.set()
        return closing

    def referrers(self, row: int) -> Sequence[str]:
        """The Python objects that hold the row's proxy, foreign object or coroutine."""
        held = next((bindings.held(row) for bindings in self._bindings if row in bindings), None)
        return [] if held is None else describe_referrers(held)

    def following(self) -> Following:
        """The generated classes that are followed, and the modules that are not."""
        classes = tuple(
            rows.proxy_class.name for bindings in list(self._bindings) for rows in bindings.proxies
        )
        return Following(classes, tuple(self._refused))

    def failed_callbacks(self) -> list[dict[str, Any]] | None:
        """The calls of Rust into Python objects that failed.

        ``None``: no module is followed whose failures are known.
        """
        counted = [bindings for bindings in self._followed() if bindings.callbacks]
        return (
            [each for bindings in counted for each in bindings.failed.told()] if counted else None
        )

    def awaited_closes(self) -> list[list[float | None]]:
        """As ``AwaitsCloses`` says."""
        closings = [rows.closing for bindings in self._followed() for rows in bindings.proxies]
        return [each for closing in closings if closing is not None for each in closing.awaited()]

    def closed_uses(self) -> list[dict[str, Any]]:
        """As ``SeesClosedUses`` says."""
        closings = [rows.closing for bindings in self._followed() for rows in bindings.proxies]
        return all_told([each.uses.seen for each in closings if each is not None])

    def take_back(self, row: int) -> str | None:
        """As ``AwaitsCloses`` says."""
        closings = [rows.closing for bindings in self._followed() for rows in bindings.proxies]
        taken = (each.take_back(row) for each in closings if each is not None)
        return next((outcome for outcome in taken if outcome is not None), None)

    def _followed(self) -> list[Bindings]:
        """The modules that are followed now."""
        return list(self._bindings)

    def _note_copy(self) -> None:
        """A proxy is being copied: the next ``poll`` looks for the copy, which no hook sees.

        Any thread.
        """
        self._is_scan_due = True

    def _follow_new_modules(self) -> None:
        """Follow generated modules that were not seen before.

        The next ``poll`` looks for proxies that they made meanwhile.
        """
        for module in self._finder.unseen():
            self._follow(module, is_late=True)
            self._is_scan_due = True

    def _look_at(self, module: ModuleType) -> None:
        """A module was imported just now. On the thread that imports it."""
        try:
            if self._finder.claim(module.__name__, module):
                self._follow(module)
                self._is_scan_due = True
        except Exception as error:  # an import of the program must not fail because of the tool
            self._faults.add(error)

    def _follow(self, module: ModuleType, *, is_late: bool = False) -> None:
        """Hook a generated module; a module that cannot be followed is reported like a fault."""
        try:
            self._bindings.append(
                Bindings(
                    module, self._recorder, self._faults, copied=self._note_copy, is_late=is_late
                )
            )
        except Exception as error:  # one odd module must not keep the agent from starting
            self._refused.append(f"{error}" or f"{type(error).__name__}: {module.__name__}")
            self._faults.add(error)
