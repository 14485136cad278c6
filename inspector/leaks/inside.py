"""The fixture ``arc_leaks``: a check of a block inside a test. On the thread of the test."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Self

import pytest

from inspector.agent import is_running, start, stop
from inspector.agent.holding import running_frames
from inspector.errors import InspectorError
from inspector.leaks.allow import Allowance, read_allow_list
from inspector.leaks.holding import is_of_harness
from inspector.leaks.leak import frame_text, handles_text, leaks_text
from inspector.leaks.live import LiveHandles
from inspector.leaks.marks import allowances


class LeakChecks:
    """Makes checks of blocks: ``with arc_leaks(): …``. ``close`` it."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        """Start the agent if it does not run. Fails the test where that is not possible."""
        self._request = request
        self._was_running = is_running()
        try:
            self._live = LiveHandles(start("stacks"))
        except InspectorError as error:
            pytest.fail(f"arc-inspector: {error}", pytrace=False)

    def __call__(self, *words: Any, **named: Any) -> Block:
        """A check of one block; ``allow``, ``at_most`` and ``reason`` as in the mark."""
        try:
            return Block(self._live, self._request, allowances(words, named))
        except InspectorError as error:
            pytest.fail(f"arc-inspector: {error}", pytrace=False)

    def close(self) -> None:
        """Leave the process as it was."""
        self._live.close()
        if not self._was_running:
            stop()


class Block:
    """Fails the test when handles that the block made are alive at its end."""

    def __init__(
        self, live: LiveHandles, request: pytest.FixtureRequest, more: list[Allowance]
    ) -> None:
        """``more`` is allowed beside the allowances of the project."""
        self._live, self._config, self._more = live, request.config, more
        self._owner = str(request.node.nodeid)
        self._before: set[int] = set()

    def __enter__(self) -> Self:
        """Remember the objects alive before the block."""
        self._before = set(self._live.read())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Judge, unless the block raised: a traceback holds its objects."""
        if kind is not None:
            return
        left = self._live.read_after_collection(self._before)
        found = self._live.leaks(left.values(), owner=self._owner)
        words = self._config.getoption("arc_leaks_allow")
        allowed = read_allow_list(self._config.rootpath, words).with_more(self._more)
        bad, _ = allowed.judge([each.leak for each in found])
        trouble = "" if found else self._live.measured().trouble
        if not bad and not trouble:
            return
        frame = sys._getframe(1)
        place = frame_text(
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_code.co_name,
            str(self._config.rootpath),
        )
        if not bad:
            pytest.fail(f"{trouble} (the check at {place})", pytrace=False)
        handles = {each.leak.key: each for each in found}
        leaks = self._live.explained(
            [handles[leak.key] for leak in bad], partial(_frames_from, frame)
        )
        del frame
        count = handles_text(sum(leak.count for leak in leaks))
        pytest.fail(
            f"{count} made in the block at {place} outlived it:\n\n{leaks_text(leaks)}",
            pytrace=False,
        )


def _frames_from(frame: FrameType | None) -> Iterator[tuple[str, FrameType]]:
    """Functions that run now; of this thread from the test's outwards, up to the test runner."""
    yield from running_frames()
    name = threading.current_thread().name
    while frame is not None and not is_of_harness(frame.f_code.co_filename):
        yield name, frame
        frame = frame.f_back
