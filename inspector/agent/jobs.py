"""The worker thread's jobs for viewers: each is a function from fields to the reply's fields.

Runs on the worker thread with the GIL held. A failure raises; the worker turns it into a reply.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.protocol import (
    Adapter,
    AwaitsCloses,
    CloseVerdict,
    CloseWish,
    CountsFailures,
    FindsCloses,
    Follower,
    HidesConstants,
    HooksDestructors,
    SeesClosedUses,
)
from inspector.agent.boundary import Boundary, HasBoundary
from inspector.agent.exit_callbacks import exit_places
from inspector.agent.gc_hook import GcHook
from inspector.agent.native_cycles import all_cycles
from inspector.agent.plain import offers
from inspector.agent.retainers import search
from inspector.agent.thread_names import ThreadNames
from inspector.errors import ControlError
from inspector.wire.declarations import parse_declarations

Fields = Mapping[str, Any]
Run = Callable[[Fields], dict[str, Any]]
Steps = Generator[dict[str, Any], None, dict[str, Any]]
"""Yields how far a long job is; returns the reply's fields."""


class Jobs:
    """The operations that need the interpreter.

    ``scan`` and ``detach`` are the worker's own and not among them.
    """

    __slots__ = (
        "_adapters",
        "_exit_callback",
        "_failure",
        "_gc_hook",
        "_long",
        "_runs",
        "_thread_names",
    )

    def __init__(
        self,
        adapters: Sequence[Adapter],
        gc_hook: GcHook,
        thread_names: ThreadNames,
        *,
        exit_callback: object = None,
    ) -> None:
        """Work on these; ``exit_callback`` is the agent's own function among the exit callbacks."""
        self._adapters = adapters
        self._exit_callback = exit_callback
        self._gc_hook = gc_hook
        self._thread_names = thread_names
        self._failure: Exception | None = None
        self._runs: dict[str, Run] = {
            "beat": self._beat,
            "gc": self._gc,
            "threads": self._threads,
            "referrers": self._referrers,
            "close": self._close,
            "preview": self._preview,
            "withdraw": self._withdraw,
            "adapters": self._report_adapters,
            "declare": self._declare,
        }
        self._long: dict[str, Callable[[Fields], Steps]] = {
            "retainers": self._retainers,
            "cycles": self._cycles,
        }

    def run(self, op: str, fields: Fields) -> dict[str, Any]:
        """Do a job; the reply's fields."""
        found = self._runs.get(op)
        if found is None:
            raise ControlError(f"unknown operation {op[:40]!r}")
        return found(fields)

    def is_long(self, op: str) -> bool:
        """Whether a job is done in slices."""
        return op in self._long

    def steps(self, op: str, fields: Fields) -> Steps:
        """Begin a job that is done in slices."""
        return self._long[op](fields)

    def poll(self) -> None:
        """The work that is due now and then without a request."""
        self._thread_names.report()
        self._poll_adapters()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _poll_adapters(self) -> None:
        """All adapters, even after an exception.

        The first exception is kept for the next ``poll``: the collection itself was done.
        """
        for adapter in self._adapters:
            try:
                adapter.poll()
            except Exception as error:  # the worker reports any exception of an adapter
                self._failure = self._failure or error

    def _beat(self, fields: Fields) -> dict[str, Any]:
        """Prove that the interpreter answers."""
        self.poll()
        return {}

    def _gc(self, fields: Fields) -> dict[str, Any]:
        """Force a full collection."""
        began_nanos = time.perf_counter_ns()
        collected, uncollectable = self._gc_hook.force()
        took_nanos = time.perf_counter_ns() - began_nanos
        self._poll_adapters()
        return {"collected": collected, "uncollectable": uncollectable, "took_nanos": took_nanos}

    def _threads(self, fields: Fields) -> dict[str, Any]:
        """Hand over the names of all threads."""
        return {"named": self._thread_names.report()}

    def _referrers(self, fields: Fields) -> dict[str, Any]:
        """Holders of a row's proxy."""
        row = _number(fields, "handle")
        adapter = self._owner(row)
        return {"referrers": [] if adapter is None else list(adapter.referrers(row))}

    def _retainers(self, fields: Fields) -> Steps:
        """Holders of a row's proxy, up to a root."""
        row = _number(fields, "handle")
        boundaries = self._boundaries()
        thing = next(
            (found for each in boundaries if (found := each.python_object(row)) is not None), None
        )
        if thing is None:
            raise ControlError(
                "no Python object stands behind this handle: native code made it, or it is gone"
            )
        places = {place: name for each in boundaries for place, name in each.places().items()}
        return search(thing, places, exit_places(self._exit_callback))

    def _cycles(self, fields: Fields) -> Steps:
        """Cycles across the boundary, through one row or any."""
        boundaries, handle = self._boundaries(), _number(fields, "handle")
        return all_cycles(boundaries, handle, fields.get("held", []))

    def _boundaries(self) -> list[Boundary]:
        """Boundaries of the adapters that have a boundary."""
        return [adapter.boundary for adapter in self._adapters if offers(adapter, HasBoundary)]

    def _close(self, fields: Fields) -> dict[str, Any]:
        """Close rows that adapters keep."""
        return {"answers": self._verdicts(fields, preview=False)}

    def _preview(self, fields: Fields) -> dict[str, Any]:
        """The outcome that ``close`` would have."""
        return {"answers": self._verdicts(fields, preview=True)}

    def _withdraw(self, fields: Fields) -> dict[str, Any]:
        """Take a close back that a viewer asked for and that runs on an event loop."""
        row = _number(fields, "handle")
        awaiting = [each for each in self._adapters if offers(each, AwaitsCloses)]
        outcomes = (each.take_back(row) for each in awaiting)
        outcome = next((each for each in outcomes if each is not None), None)
        if outcome is None:
            raise ControlError("no close of it that a viewer asked for waits for an event loop")
        return {"outcome": outcome}

    def _report_adapters(self, fields: Fields) -> dict[str, Any]:
        """The adapters and the declarations."""
        declared = self._declared()
        states: dict[str, Any] = {} if declared is None else declared.states()
        counted = [
            each.failed_callbacks() for each in self._adapters if offers(each, CountsFailures)
        ]
        known = [failures for failures in counted if failures is not None]
        failed = (
            {"failed_callbacks": [failure for failures in known for failure in failures]}
            if known
            else {}
        )
        awaiting = [each for each in self._adapters if offers(each, AwaitsCloses)]
        awaited = [close for each in awaiting for close in each.awaited_closes()]
        finding = [each for each in self._adapters if offers(each, FindsCloses)]
        found = [close for each in finding for close in each.closes_under_way()]
        seeing = [each for each in self._adapters if offers(each, SeesClosedUses)]
        parts = [part for each in finding for part in each.parts_waited_for()]
        told = {
            "awaited_closes": awaited,
            "closes_under_way": found,
            "parts_waited_for": parts,
            "closed_uses": [use for each in seeing for use in each.closed_uses()],
            "told_at": time.time(),
        }
        others = [each for each in self._adapters if each is not declared]
        followers = [each for each in others if offers(each, Follower)]
        hooking = [each for each in self._adapters if offers(each, HooksDestructors)]
        refused = [line for each in followers for line in each.following().refused]
        hiding = [each for each in self._adapters if offers(each, HidesConstants)]
        return {
            "adapters": [adapter.name for adapter in self._adapters],
            **told,
            "constants": [pair for each in hiding for pair in sorted(each.constants().items())],
            "refused": refused,
            **failed,
            **states,
            "destructors": [pair for each in hooking for pair in each.destructors()],
            "troubles": [*states.get("troubles", ()), *refused],
        }

    def _declare(self, fields: Fields) -> dict[str, Any]:
        """Follow a viewer's declarations.

        They are not trusted: they are read as a file would be.
        """
        adapter = self._declared()
        if adapter is None:
            raise ControlError("this agent was started without the adapter for declarations")
        declarations, troubles = parse_declarations(fields.get("declarations"), "the viewer")
        adapter.declare(declarations)
        report = self._report_adapters({})
        return {**report, "taken": len(declarations), "troubles": [*report["troubles"], *troubles]}

    def _declared(self) -> DeclaredAdapter | None:
        """The adapter that takes declarations, if any."""
        return next(
            (adapter for adapter in self._adapters if isinstance(adapter, DeclaredAdapter)), None
        )

    def _verdicts(self, fields: Fields, *, preview: bool) -> list[dict[str, Any]]:
        """An answer for each handle; a failing handle does not stop the rest."""
        wish = CloseWish(
            fields.get("although_held") is True,
            preview,
            _seconds(fields.get("withdraw_after_secs")),
        )
        answers = []
        for row in _numbers(fields, "handles"):
            verdict = self._verdict(row, wish)
            answers.append(
                {
                    "handle": row,
                    "outcome": verdict.outcome,
                    "reason": verdict.reason,
                    "holders": list(verdict.holders),
                }
            )
        return answers

    def _verdict(self, row: int, wish: CloseWish) -> CloseVerdict:
        """Ask the adapter that keeps the row."""
        adapter = self._owner(row)
        if adapter is None:
            return CloseVerdict("refused", "no adapter knows this handle")
        try:
            within = wish.withdraw_after_secs
            return adapter.close(
                row,
                although_held=wish.although_held,
                preview=wish.is_preview,
                withdraw_after_secs=within,
            )
        except Exception as error:  # the program's close method may raise anything
            return CloseVerdict("failed", f"{type(error).__name__}: {error}")

    def _owner(self, row: int) -> Adapter | None:
        """The adapter that keeps a row."""
        return next((adapter for adapter in self._adapters if adapter.owns(row)), None)


def _seconds(value: object) -> float | None:
    """A time of a request; ``None``: it has none."""
    return float(value) if type(value) in (int, float) and value > 0 else None  # type: ignore[operator, arg-type]  # a number


def _number(fields: Fields, name: str) -> int:
    """A whole number of a request."""
    number = fields.get(name)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ControlError(f"{name} is not a number")
    return number


def _numbers(fields: Fields, name: str) -> list[int]:
    """A list of whole numbers of a request."""
    numbers = fields.get(name)
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise ControlError(f"{name} is not a list of numbers")
    return numbers
