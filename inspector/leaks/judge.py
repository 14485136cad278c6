"""Judges one test at the end of its teardown: its leaks, run by run. One thread."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from inspector.leaks.allow import AllowList
from inspector.leaks.leak import Leak
from inspector.leaks.live import Found, Handles, LiveHandles


class LeakJudge:
    """Remembers the objects alive before a test and those of wider fixtures, and judges."""

    def __init__(self, live: LiveHandles, repeats: int) -> None:
        """``repeats``: runs of a test that leaks; a count that does not grow in each is no leak."""
        self.live = live
        self.is_repeating = False
        self._repeats = repeats
        self._before: set[int] = set()
        self._fixtures: dict[Any, set[int]] = {}
        self._ended: list[tuple[str, set[int]]] = []

    @property
    def has_ended_fixtures(self) -> bool:
        """Whether fixtures of a wider scope ended since the last judgement."""
        return bool(self._ended)

    def begin(self) -> None:
        """Remember the objects alive before a test."""
        self._before = set(self.live.read())

    def add_fixture(self, fixturedef: Any, before: set[int]) -> None:
        """A fixture of a wider scope was set up: its objects are its own until it ends."""
        made = self.live.read().keys() - before
        self._fixtures.setdefault(fixturedef, set()).update(made)

    def end_fixture(self, fixturedef: Any) -> None:
        """A fixture ended; its value is released later."""
        made = self._fixtures.pop(fixturedef, None)
        if made:
            self._ended.append((f"fixture {fixturedef.argname} ({fixturedef.scope})", made))

    def forget_ended(self) -> None:
        """Fixtures that ended are judged, or will not be."""
        self._ended.clear()

    def judge(
        self, item: pytest.Item, nextitem: pytest.Item | None, allowed: AllowList, *, failed: bool
    ) -> tuple[list[Leak], list[Leak]]:
        """Leaks of the test and of fixtures that ended with it, and the allowed ones.

        A failed test has leaks of its fixtures alone.
        """
        found = self._found(item, self._before, failed=failed)
        bad, let_pass = allowed.judge([each.leak for each in found])
        by_key = {each.leak.key: each for each in found}
        chosen = [by_key[leak.key] for leak in bad]
        if chosen and self._repeats > 1 and not failed:
            chosen = self._grown(item, nextitem, chosen)
        return self.live.explained(chosen), let_pass

    def _found(self, item: pytest.Item, before: set[int], *, failed: bool) -> list[Found]:
        kept = before.union(*self._fixtures.values())
        if self.live.read().keys() - kept or self._ended:
            _empty(item)
        ended = set().union(*(made for _, made in self._ended))
        left = self.live.read_after_collection(kept - ended)
        own = [row for handle, row in left.items() if handle not in ended]
        found = [] if failed else self.live.leaks(own, owner=item.nodeid)
        for name, made in self._ended:
            found += self.live.leaks(_rows(left, made), owner=name)
        return found

    def _grown(
        self, item: pytest.Item, nextitem: pytest.Item | None, first: list[Found]
    ) -> list[Found]:
        """The leaks of the test that each further run has too; leaks of fixtures stay."""
        kept = {each.leak.key: each for each in first if each.leak.owner == item.nodeid}
        others = [each for each in first if each.leak.owner != item.nodeid]
        runs, trouble = 1, ""
        while kept and runs < self._repeats and not trouble:
            self._ended.clear()
            before = set(self.live.read())
            trouble = self._run_again(item, nextitem)
            again = {
                each.leak.key: each for each in self._found(item, before, failed=bool(trouble))
            }
            if not trouble:
                runs += 1
                kept = {key: again[key] for key in kept.keys() & again.keys()}
        return [*(_with_runs(each, runs, trouble) for each in kept.values()), *others]

    def _run_again(self, item: pytest.Item, nextitem: pytest.Item | None) -> str:
        """Set up, call and tear down once more; why that failed, ``""``: it did not."""
        self.is_repeating = True
        try:
            getattr(item, "_initrequest", lambda: None)()  # as plugins that repeat tests do
            item.ihook.pytest_runtest_setup(item=item)
            item.ihook.pytest_runtest_call(item=item)
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
            return f"{type(error).__name__}: {error}".partition("\n")[0]
        finally:
            try:
                item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
            finally:
                self.is_repeating = False
                forget_traceback()
        return ""


def _with_runs(found: Found, runs: int, trouble: str) -> Found:
    leak = replace(found.leak, runs=runs if runs > 1 else 0)
    return found._replace(leak=replace(leak, repeat_trouble=trouble))


def _rows(left: Handles, made: Iterable[int]) -> list[Any]:
    return [left[handle] for handle in left.keys() & set(made)]


def forget_traceback() -> None:
    """Release the newest exception, which is kept for debuggers.

    Its frames hold their objects. pytest does the same before the next test.
    """
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)


def _empty(item: pytest.Item) -> None:
    """Release values that an item holds without use until after this hook.

    They are its fixtures' values and the instance of its class.
    """
    getattr(item, "funcargs", {}).clear()
    for name in ("_instance", "_obj"):  # made again when asked for
        vars(item).pop(name, None)
