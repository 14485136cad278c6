"""The adapter for declared classes: rows for classes that a few lines of TOML describe.

Declarations come from files at start (``ARC_INSPECTOR_ADAPTERS``, the project's ``pyproject.toml``)
and from viewers while it runs. Classes are hooked as soon as they are imported; until then, and for
each fault in it, a declaration says why it has no rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import CoroutineType, ModuleType
from typing import Any, Final

from inspector.agent.adapters.declared.boundary import DeclaredBoundary
from inspector.agent.adapters.declared.followed import Followed
from inspector.agent.adapters.declared.instances import Reference, references
from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.looks import Looks, rows_of
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.adapters.declared.sources import declared_here
from inspector.agent.adapters.extension_classes import not_followed
from inspector.agent.adapters.imports import ImportWatch
from inspector.agent.adapters.loops import (
    UNBEGUN,
    Ending,
    LoopCall,
    give_up,
    is_coroutine_function,
    loop_trouble,
    running_loops,
    take_back,
)
from inspector.agent.adapters.protocol import CloseVerdict, ClosingHost, Following
from inspector.agent.boundary import Boundary
from inspector.agent.faults import Faults
from inspector.agent.plain import in_class
from inspector.agent.referrers import describe_referrers
from inspector.errors import InspectorError
from inspector.vocabulary import Resource
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks

SLICE_ROWS: Final = 500
"""Proxies looked at without letting other threads run; about 1 ms."""
ROUND_ROWS: Final = 200
"""Proxies of each declaration looked at in one poll."""
MAX_DECLARED: Final = 500
"""Declarations of one process, from whatever sides."""


class DeclaredAdapter:
    """Follows declared classes. Threads as ``Adapter`` says; hooks run on the program's threads."""

    name: Final = "declared"

    def __init__(
        self,
        declared: Declared | None = None,
        recorder: DeclaredRecorder | None = None,
        looks: Looks | None = None,
        *,
        hosts: Sequence[ClosingHost] = (),
    ) -> None:
        """Looks at nothing yet.

        Without ``declared`` the files of this process's environment and project are read at
        ``attach``.

        ``hosts`` are the adapters that follow classes by themselves: a declaration of such a class
        says how it closes.
        """
        self._hosts = tuple(hosts)
        self._calls: list[LoopCall] = []
        self._declared = declared
        self._recorder = recorder or DeclaredRecorder()
        self._faults = Faults()
        self._watch = ImportWatch(self._imported)
        self._followed: dict[str, Followed] = {}
        self._troubles: list[str] = []
        self._births: Any = hooks.Births()
        self._by_class: dict[type, DeclaredRows | LibraryRows] = {}
        self._looks = looks or Looks()
        self._is_watching = False
        self._is_scan_due = False

    def attach(self) -> None:
        """Read the declarations and hook the imported classes.

        Without declarations nothing is set.
        """
        declared = self._declared or declared_here()
        self._troubles = list(declared.troubles)
        for trouble in declared.troubles:
            self._faults.add(InspectorError(trouble))
        self._take(declared.declarations)

    def detach(self) -> None:
        """Remove all hooks; attributes are the originals again."""
        self._watch.undo()
        self._is_watching = False
        self._births.forget()
        self._looks.forget()
        self._by_class.clear()
        while self._followed:
            self._followed.popitem()[1].undo()

    def leave(self) -> None:
        """The interpreter ends: hold no object of the program any more.

        Some libraries check for holders. Rows stay as they are.
        """
        self._watch.undo()
        self._births.forget()
        self._looks.forget()
        self._by_class.clear()
        while self._followed:
            self._followed.popitem()[1].unhook()

    def declare(self, declarations: Sequence[Declaration]) -> None:
        """More of them, from a viewer.

        One about a class that is declared already changes nothing. Worker thread.
        """
        self._take(declarations)
        self._is_scan_due = True
        self.poll_quietly()

    def states(self) -> dict[str, Any]:
        """The declarations and their state, for a viewer."""
        return {
            "declared": [followed.state(self._looks) for followed in self._followed.values()],
            "troubles": list(self._troubles),
            "not_followed": not_followed(list(self._by_class)),
        }

    def following(self) -> Following:
        """The declared classes that are followed, and the declarations that are refused.

        One whose module was not imported is neither.
        """
        all_declared = list(self._followed.values())
        classes = tuple(
            each.declaration.key
            for each in all_declared
            if each.rows is not None and not each.is_refused
        )
        states = [each.state(self._looks) for each in all_declared if each.is_refused]
        refused = [f"{each['class']}: {each['trouble']}: {each['source']}" for each in states]
        return Following(classes, (*self._troubles, *refused))

    def scan(self) -> Iterator[int]:
        """Rows for the proxies that live now and have none."""
        self._is_scan_due = False
        found = 0
        for some in references(list(self._by_class)):
            yield found
            for start in range(0, len(some), SLICE_ROWS):
                found += self._adopt(some[start : start + SLICE_ROWS])
                yield found

    def poll(self) -> None:
        """Look for new modules, new proxies of classes without a hook, and released proxies.

        A hook does not see every release.
        """
        self.poll_quietly()
        fault = self._faults.take()
        if fault is not None:
            raise (
                fault
                if isinstance(fault, InspectorError)
                else InspectorError(f"{type(fault).__name__}: {fault}")
            ) from fault

    def poll_quietly(self) -> None:
        """As ``poll``, without the faults."""
        self._resolve()
        for call in self._calls:
            call.look()
        self._calls = [call for call in self._calls if not call.is_over]
        for rows in list(self._by_class.values()):
            rows.look_round(ROUND_ROWS)
        if self._is_scan_due:
            for _ in self.scan():
                time.sleep(0)
        for followed in self._followed.values():
            followed.under_way.look()
        if self._recorder.hottest():
            self._looks.look(dict(self._by_class))

    def owns(self, row: int) -> bool:
        """Whether the row is of a declared class or library."""
        return self._rows_with(row) is not None

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        """Call the method that the declaration names."""
        rows = self._rows_with(row)
        proxy = None if rows is None else rows.proxy(row)
        if rows is None or proxy is None:
            return CloseVerdict(
                "refused",
                ("no Python object holds it, so there is nothing whose close could be called"),
            )
        declared = rows.declaration
        holders = tuple(describe_referrers(proxy))
        refusal = _refusal(declared, proxy)
        if refusal:
            return CloseVerdict("refused", refusal, holders)
        if holders and not although_held and not preview:
            return CloseVerdict("refused", f"still held by {', '.join(holders)}", holders)
        if preview and is_coroutine_function(in_class(type(proxy), declared.close)):
            return self._preview_later(declared, holders)
        if preview:
            return CloseVerdict("would_close", "", holders)
        return self._call_close(rows, proxy, holders, withdraw_after_secs)

    def awaited_closes(self) -> list[list[float | None]]:
        """As ``AwaitsCloses`` says."""
        return [call.told() for call in self._calls if not call.is_over]

    def take_back(self, row: int) -> str | None:
        """As ``AwaitsCloses`` says."""
        return take_back(self._calls, row)

    def closes_under_way(self) -> list[list[int | str]]:
        """As ``FindsCloses`` says."""
        return [told for each in list(self._followed.values()) for told in each.under_way.told()]

    def referrers(self, row: int) -> Sequence[str]:
        """The Python objects that hold the row's proxy."""
        rows = self._rows_with(row)
        proxy = None if rows is None else rows.proxy(row)
        return [] if proxy is None else describe_referrers(proxy)

    @property
    def boundary(self) -> Boundary:
        """The adapter's knowledge of holders."""
        return DeclaredBoundary(
            lambda: [each.rows for each in list(self._followed.values()) if each.rows is not None],
            lambda: [each.cls for each in list(self._followed.values()) if each.cls is not None],
        )

    def _call_close(
        self,
        rows: DeclaredRows | LibraryRows,
        proxy: Any,
        holders: tuple[str, ...],
        within_secs: float | None,
    ) -> CloseVerdict:
        """The call itself. Raises the exception of the program's method."""
        declared = rows.declaration
        result = getattr(proxy, declared.close)(**declared.close_with)
        if isinstance(result, CoroutineType):
            return self._close_later(rows, proxy, result, holders, within_secs)
        if declared.released is None and declared.handle is None:
            rows.release(proxy)
        elif rows.observe(proxy):
            return CloseVerdict(
                "pending",
                (f"{declared.close_signature} has returned, and the handle is not released yet"),
                holders,
            )
        return CloseVerdict("closed", "", holders)

    def _preview_later(self, declared: Declaration, holders: tuple[str, ...]) -> CloseVerdict:
        """The outcome of a close that has to be awaited."""
        trouble = loop_trouble(declared.close, running_loops())
        if trouble:
            return CloseVerdict("refused", trouble, holders)
        return CloseVerdict(
            "would_wait",
            (f"{declared.close_signature} would run on the program's event loop"),
            holders,
        )

    def _close_later(
        self,
        rows: DeclaredRows | LibraryRows,
        proxy: Any,
        coroutine: Any,
        holders: tuple[str, ...],
        within_secs: float | None,
    ) -> CloseVerdict:
        """Have the program's event loop run a closing coroutine; the row ends when it has."""
        declared, loops = rows.declaration, running_loops()
        trouble = loop_trouble(declared.close, loops)
        if trouble:
            give_up(coroutine)
            return CloseVerdict("refused", trouble, holders)

        def ended(ending: Ending, error: BaseException | None) -> None:
            if ending in UNBEGUN:
                give_up(coroutine)
            if ending not in (Ending.RAN, Ending.TAKEN_BACK):
                why = f": {type(error).__name__}: {error}" if error is not None else ""
                self._faults.add(
                    InspectorError(
                        f"{declared.close_signature} of {declared.name}: {ending.value}{why}"
                    )
                )
            if ending is Ending.RAN and declared.released is None and declared.handle is None:
                rows.release(proxy)
            elif rows.observe(proxy):
                self._recorder.set_resource(rows.row_of(proxy), Resource.OPEN)

        row = rows.row_of(proxy)
        asked = LoopCall(loops[0], lambda: coroutine, ended, row=row, within_secs=within_secs)
        self._recorder.set_resource(rows.row_of(proxy), Resource.CLOSE_REQUESTED)
        if not asked.start():
            give_up(coroutine)
            self._recorder.set_resource(rows.row_of(proxy), Resource.OPEN)
            return CloseVerdict(
                "refused",
                (f"{declared.close} is a coroutine, and its event loop has ended"),
                holders,
            )
        self._calls.append(asked)
        return CloseVerdict(
            "pending", (f"{declared.close_signature} runs on the program's event loop"), holders
        )

    def _take(self, declarations: Sequence[Declaration]) -> None:
        """Begin to follow the new declarations."""
        for declaration in declarations:
            if len(self._followed) >= MAX_DECLARED:
                self._troubles.append(
                    f"{MAX_DECLARED} declarations are followed already: "
                    f"{declaration.key}: {declaration.source}"
                )
                return
            if declaration.key not in self._followed:
                self._followed[declaration.key] = Followed(
                    declaration, self._recorder, self._faults, self._births, hosts=self._hosts
                )
        if self._followed and not self._is_watching:
            self._is_watching = True
            self._watch.set()
        self._resolve()

    def _resolve(self, finished: str = "") -> None:
        """Hook the classes imported meanwhile."""
        for followed in list(self._followed.values()):
            if (
                followed.resolve(finished)
                and followed.cls is not None
                and followed.rows is not None
            ):
                self._by_class.setdefault(followed.cls, followed.rows)
                self._is_scan_due = True

    def _imported(self, module: ModuleType) -> None:
        """A module was imported just now. On the thread that imports it; must not raise."""
        root = module.__name__.partition(".")[0]
        for followed in list(self._followed.values()):
            names = (
                followed.declaration.cls,
                followed.declaration.library,
                *followed.declaration.made_by,
            )
            if any(name.partition(".")[0] == root for name in names):
                try:
                    self._resolve(module.__name__)
                # an import of the program must not fail because of the tool
                except Exception as error:
                    self._faults.add(error)
                return

    def _adopt(self, some: Sequence[Reference]) -> int:
        """Rows for instances without a row; their birth is unknown."""
        found = 0
        for reference in some:
            proxy = reference()
            rows = None if proxy is None else rows_of(self._by_class, proxy)
            if rows is not None:
                found += rows.adopt([proxy])
        return found

    def _rows_with(self, row: int) -> DeclaredRows | LibraryRows | None:
        """The rows that a row is among."""
        return next(
            (
                each.rows
                for each in list(self._followed.values())
                if each.rows is not None and row in each.rows
            ),
            None,
        )


def _refusal(declared: Declaration, proxy: Any) -> str:
    """Why a proxy cannot be closed from here; ``""`` when it can."""
    if not declared.close:
        return f"{declared.name} did not opt in to closing"
    if declared.owner_closes:
        return "only the thread that made it may close it, and nothing can be run there"
    if not callable(in_class(type(proxy), declared.close)):
        return f"{declared.cls} has no method {declared.close}"
    return ""
