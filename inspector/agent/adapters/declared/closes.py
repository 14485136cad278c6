"""Closing the objects of declared classes, at once or on an event loop of the program.

Worker thread; a loop tells the end of its close on its own thread.
"""

from __future__ import annotations

from types import CoroutineType
from typing import Any

from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.adapters.declared.rows import DeclaredRows
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
from inspector.agent.adapters.protocol import CloseVerdict
from inspector.agent.faults import Faults
from inspector.agent.plain import in_class
from inspector.errors import InspectorError
from inspector.vocabulary import Resource
from inspector.wire.declarations import Declaration


def refusal_of(declared: Declaration, proxy: Any) -> str:
    """Why a proxy cannot be closed from here; ``""`` when it can."""
    if not declared.close:
        return f"{declared.name} did not opt in to closing"
    if declared.owner_closes:
        return "only the thread that made it may close it, and nothing can be run there"
    if not callable(in_class(type(proxy), declared.close)):
        return f"{declared.cls} has no method {declared.close}"
    return ""


def preview_of(declared: Declaration, proxy: Any, holders: tuple[str, ...]) -> CloseVerdict:
    """The outcome that a close would have."""
    if not is_coroutine_function(in_class(type(proxy), declared.close)):
        return CloseVerdict("would_close", "", holders)
    trouble = loop_trouble(declared.close, running_loops())
    if trouble:
        return CloseVerdict("refused", trouble, holders)
    return CloseVerdict(
        "would_wait",
        (f"{declared.close_signature} would run on the program's event loop"),
        holders,
    )


class DeclaredCloses:
    """The closes that viewers asked for."""

    def __init__(self, recorder: DeclaredRecorder, faults: Faults) -> None:
        """None yet."""
        self._recorder, self._faults = recorder, faults
        self._calls: list[LoopCall] = []

    def look(self) -> None:
        """End closes whose loop was closed, or whose deadline passed."""
        for call in self._calls:
            call.look()
        self._calls = [call for call in self._calls if not call.is_over]

    def told(self) -> list[list[float | None]]:
        """The closes that wait for an event loop, each as ``LoopCall.told``."""
        return [call.told() for call in self._calls if not call.is_over]

    def take_back(self, row: int) -> str | None:
        """As ``AwaitsCloses`` says."""
        return take_back(self._calls, row)

    def call(
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
