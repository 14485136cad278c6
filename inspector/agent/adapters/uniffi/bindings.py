"""One followed generated module: its proxies, foreign objects and calls, and their hooks.

Worker thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FrameType, ModuleType
from typing import Any

from inspector.agent.adapters.recorder import Recorder
from inspector.agent.adapters.stacks import NativeStacks
from inspector.agent.adapters.uniffi.callbacks import CallbackHooks, FailedCalls
from inspector.agent.adapters.uniffi.calls import CallHooks, CallRows
from inspector.agent.adapters.uniffi.closing import Closing
from inspector.agent.adapters.uniffi.foreign import ForeignHooks, ForeignRows
from inspector.agent.adapters.uniffi.generation import Unsupported, recognise
from inspector.agent.adapters.uniffi.hooks import ProxyHooks
from inspector.agent.adapters.uniffi.proxies import (
    ProxyClass,
    library_of,
    live_proxies,
    proxy_classes,
)
from inspector.agent.adapters.uniffi.rows import ProxyRows
from inspector.agent.adapters.uniffi.running import RunningRows
from inspector.agent.adapters.uniffi.transit import TransitHooks
from inspector.agent.faults import Faults
from inspector.errors import InspectorError
from inspector.runtime.sites import OWN_MODULES
from inspector.source_places import packages_of


class Bindings:
    """One generated module that is followed."""

    def __init__(
        self,
        module: ModuleType,
        recorder: Recorder,
        faults: Faults,
        *,
        copied: Callable[[], None],
        is_late: bool = False,
    ) -> None:
        """Describe the module and set the hooks.

        Raises ``InspectorError`` when its generation is not supported.

        ``is_late``: the module was imported before the agent came.
        """
        namespace = vars(module)
        generation = recognise(namespace)
        if isinstance(generation, Unsupported):
            raise InspectorError(f"{module.__name__} is not followed: {generation.reason}")
        stacks = NativeStacks((*OWN_MODULES, module.__name__), packages_of([module.__name__]))
        self.proxies = [
            ProxyRows(proxy_class, recorder, stacks, faults)
            for proxy_class in proxy_classes(namespace, generation)
        ]
        sites = stacks.table
        self.foreign = ForeignRows(namespace, recorder, sites)
        self.calls = CallRows(namespace, recorder, sites, self._address_of)
        self.running = RunningRows(
            namespace, recorder, sites, self._address_of, shape=generation.shape, is_late=is_late
        )
        self.failed = FailedCalls(self.foreign.row_of)
        self.callbacks = CallbackHooks(namespace, self.failed, faults)
        self._hooks: list[ProxyHooks | ForeignHooks | CallHooks | CallbackHooks] = [
            *(ProxyHooks(rows, copied) for rows in self.proxies),
            ForeignHooks(self.foreign, faults),
            CallHooks(self.calls, faults),
            self.callbacks,
        ]
        self.transit = TransitHooks(library_of(namespace), self.proxies)
        try:
            for each in self._hooks:
                each.set()
            leave_out_dying(self.proxies)
        except BaseException:
            self.undo()
            raise

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a live proxy, a foreign object or a pending call of the module."""
        return (
            row in self.foreign
            or row in self.calls
            or row in self.running
            or any(row in rows for rows in self.proxies)
        )

    def undo(self) -> None:
        """Take the hooks off and the rows out of the table."""
        self.transit.undo()
        for each in self._hooks:
            each.undo()
        for rows in self.proxies:
            rows.clear()
        self.foreign.clear()
        self.calls.clear()
        self.running.clear()

    def held(self, row: int) -> Any:
        """The Python object behind a row of the module; ``None`` when it went."""
        if row in self.foreign:
            return self.foreign.entry(row)
        if row in self.calls:
            return self.calls.coroutine(row)
        return next(
            (
                _proxy_at(rows.proxy_id(row), rows.proxy_class)
                for rows in self.proxies
                if row in rows
            ),
            None,
        )

    def refusal(self, row: int) -> str:
        """Why a row of the module cannot be closed."""
        if row in self.foreign:
            return "a Python object held by Rust has no close that the inspector could call"
        if row in self.calls:
            return "a pending call ends when its future does; cancel its task in the program"
        if row in self.running:
            return "a running call ends when the library returns"
        name = next((rows.proxy_class.name for rows in self.proxies if row in rows), "it")
        return f"{name} did not opt in to closing"

    def closing_of(self, row: int) -> Closing | None:
        """How the class of a live proxy's row closes.

        ``None``: it did not opt in, or the row is no proxy's.
        """
        return next((rows.closing for rows in self.proxies if row in rows), None)

    def _address_of(self, thing: Any) -> int:
        """The allocation behind a proxy of the module; 0 for anything else."""
        owners = {rows.proxy_class.cls: rows for rows in self.proxies}
        found = next((owners[cls] for cls in type(thing).__mro__ if cls in owners), None)
        return 0 if found is None else found.address_of(thing)


def leave_out_dying(proxies: Sequence[ProxyRows]) -> None:
    """Leave out proxies whose finaliser began before the hooks: a scan would take them for live.

    To be called when the hooks are set. A later start is known by its hook.
    """
    owners = {code: rows for rows in proxies if (code := rows.finaliser_code) is not None}
    for innermost in sys._current_frames().values():
        frame: FrameType | None = innermost
        while frame is not None:
            if frame.f_code in owners:
                owners[frame.f_code].keep(frame.f_locals.get("self"))
            frame = frame.f_back


def _proxy_at(place: int | None, proxy_class: ProxyClass) -> Any:
    """The live proxy with this ``id``; ``None`` when it went."""
    alive = (
        reference() for _, references in live_proxies([proxy_class]) for reference in references
    )
    return next((proxy for proxy in alive if proxy is not None and id(proxy) == place), None)
