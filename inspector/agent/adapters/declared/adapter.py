"""The adapter for declared classes: rows for classes that a few lines of TOML describe.

Declarations come from files at start (``ARC_INSPECTOR_ADAPTERS``, the project's ``pyproject.toml``)
and from viewers while it runs. Classes are hooked as soon as they are imported; until then, and for
each fault in it, a declaration says why it has no rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, Final

from inspector.agent.adapters.closed_uses import all_told
from inspector.agent.adapters.declared.boundary import DeclaredBoundary
from inspector.agent.adapters.declared.closes import DeclaredCloses, preview_of, refusal_of
from inspector.agent.adapters.declared.followed import Followed
from inspector.agent.adapters.declared.instances import Reference, references
from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.looks import Looks, rows_of
from inspector.agent.adapters.declared.parts import WaitedFor
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.adapters.declared.sources import declared_here
from inspector.agent.adapters.extension_classes import not_followed, unfollowed_lines
from inspector.agent.adapters.imports import ImportWatch
from inspector.agent.adapters.protocol import CloseVerdict, ClosingHost, Following
from inspector.agent.boundary import Boundary
from inspector.agent.faults import Faults
from inspector.agent.referrers import describe_referrers
from inspector.errors import InspectorError
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
        self._declared = declared
        self._recorder = recorder or DeclaredRecorder()
        self._faults = Faults()
        self._waited_for = WaitedFor(self._faults)
        self._closes = DeclaredCloses(self._recorder, self._faults)
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
            "not_followed": not_followed(self._followed_by_any()),
        }

    def followed(self) -> list[type]:
        """The classes that are followed."""
        return list(self._by_class)

    def _followed_by_any(self) -> list[type]:
        """The same, and the classes that the hosts follow by themselves."""
        return [*self._by_class, *(cls for host in self._hosts for cls in host.followed())]

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
        lines = unfollowed_lines(not_followed(self._followed_by_any()))
        return Following(classes, (*self._troubles, *refused), tuple(lines))

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
        self._closes.look()
        for rows in list(self._by_class.values()):
            rows.look_round(ROUND_ROWS)
        if self._is_scan_due:
            for _ in self.scan():
                time.sleep(0)
        for followed in self._followed.values():
            followed.under_way.look()
            if followed.uses is not None:
                followed.uses.follow(self._recorder.hottest())
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
        refusal = refusal_of(declared, proxy)
        if refusal:
            return CloseVerdict("refused", refusal, holders)
        if holders and not although_held and not preview:
            return CloseVerdict("refused", f"still held by {', '.join(holders)}", holders)
        if preview:
            return preview_of(declared, proxy, holders)
        return self._closes.call(rows, proxy, holders, withdraw_after_secs)

    def awaited_closes(self) -> list[list[float | None]]:
        """As ``AwaitsCloses`` says."""
        return self._closes.told()

    def take_back(self, row: int) -> str | None:
        """As ``AwaitsCloses`` says."""
        return self._closes.take_back(row)

    def closed_uses(self) -> list[dict[str, Any]]:
        """As ``SeesClosedUses`` says."""
        seen = [each.uses.seen for each in list(self._followed.values()) if each.uses is not None]
        return all_told(seen)

    def closes_under_way(self) -> list[list[int | str]]:
        """As ``FindsCloses`` says."""
        return [told for each in list(self._followed.values()) for told in each.under_way.told()]

    def parts_waited_for(self) -> list[dict[str, Any]]:
        """As ``FindsCloses`` says."""
        followed = list(self._followed.values())
        running = {
            row: proxy for each in followed for row, proxy in each.under_way.running().items()
        }
        return self._waited_for.told(running, followed)

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
