"""The view in the terminal shows types by change, pending closes and findings, as they come."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from inspector.commands.app import run
from inspector.commands.support import top_view
from inspector.commands.support.top_rows import TopHistory, TopRows
from inspector.commands.support.top_view import TopView
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Resource
from tests.helpers.snapshots import T0, Row, World, snapshot_of
from tests.helpers.targets import ROOT

HOSTILE = "[red]\x1b[2J<b>Evil</b>[/]"


def journals(count: int, *, at: float, name: str = "Journal") -> Snapshot:
    """A snapshot with so many handles of one type, one of them waiting to close."""
    world = World(types=("TodoList", name), created={name: count, "TodoList": 1})
    rows = [Row(1, "TodoList"), *(Row(slot, name) for slot in range(2, count + 1))]
    waiting = Row(count + 1, name, resource=Resource.DRAINING, in_flight=1)
    return snapshot_of([*rows, waiting], at=at, serial=int(at), world=world)


def cells(view: TopView, key: str) -> list[list[str]]:
    table: DataTable[object] = view.query_one(f"#{key}", DataTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


def driven(view: TopView, steps: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    """Run the view without a terminal."""

    async def drive() -> None:
        async with view.run_test(size=(80, 24)) as pilot:
            await view.look()
            await steps(pilot)

    asyncio.run(drive())


def test_the_type_that_changed_most_stands_first_with_its_rates() -> None:
    shown = [journals(2, at=T0)]
    view = TopView(lambda: shown[-1])

    async def steps(pilot: Pilot[None]) -> None:
        assert [row[:3] for row in cells(view, "types")] == [
            ["Journal", "2", "0"],
            ["TodoList", "1", "0"],
        ]
        shown.append(journals(12, at=T0 + 5))
        await view.look()
        assert cells(view, "types")[0] == ["Journal", "12", "+10", "2.0/s", "0/s", "1"]
        assert "13 live" in str(view.query_one("#headline", Static).content)

    driven(view, steps)


def test_pending_closes_and_findings_have_their_tables() -> None:
    view = TopView(lambda: journals(2, at=T0))

    async def steps(pilot: Pilot[None]) -> None:
        ((handle, kind, _, reason, _),) = cells(view, "pending")
        assert (handle, kind) == ("#3.1", "Journal")
        assert reason
        assert len(cells(view, "findings")) > 5
        await pilot.press("2")
        assert view.focused is view.query_one("#pending", DataTable)

    driven(view, steps)


def test_a_paused_view_keeps_what_it_shows() -> None:
    shown = [journals(2, at=T0)]
    view = TopView(lambda: shown[-1])

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        shown.append(journals(12, at=T0 + 5))
        await view.look()
        assert cells(view, "types")[0][1] == "2"
        await pilot.press("p")
        await view.look()
        assert cells(view, "types")[0][1] == "12"

    driven(view, steps)


def test_names_of_a_hostile_target_are_shown_and_not_obeyed() -> None:
    view = TopView(lambda: journals(2, at=T0, name=HOSTILE))

    async def steps(pilot: Pilot[None]) -> None:
        names = [row[0] for row in cells(view, "types")]
        assert "[red]\ufffd[2J<b>Evil</b>[/]" in names

    driven(view, steps)


def test_every_column_is_within_80_columns_and_long_texts_are_wrapped() -> None:
    name = "a_module.with_a_long_name.AClassWhoseNameIsLongerThanAnyColumnOfATerminal"
    view = TopView(lambda: journals(2, at=T0, name=name))

    async def steps(pilot: Pilot[None]) -> None:
        for key, number in (("types", "1"), ("pending", "2"), ("findings", "3")):
            await pilot.press(number)
            await pilot.pause()
            table: DataTable[object] = view.query_one(f"#{key}", DataTable)
            assert table.virtual_size.width <= 80, key
            assert name in {text for row in cells(view, key) for text in row} or key == "findings"
        assert table.virtual_size.height > 1 + table.row_count

    driven(view, steps)


def test_the_cursor_stays_on_its_line_when_rows_come() -> None:
    shown = [journals(2, at=T0)]
    view = TopView(lambda: shown[-1])

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("down")
        shown.append(journals(3, at=T0 + 1))
        await view.look()
        assert view.query_one("#types", DataTable).cursor_row == 1

    driven(view, steps)


def test_a_view_that_is_left_during_a_look_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_view, "LOOK_SECS", 1e6)  # no look but those below
    began, may_end = threading.Event(), threading.Event()

    def slow(history: TopHistory, snapshot: Snapshot) -> TopRows:
        began.set()
        assert may_end.wait(60)
        return TopRows("late", (), (), (), suspects=0, left_out=0)

    async def leave() -> None:
        view = TopView(lambda: journals(2, at=T0))
        async with view.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await view.look()
            monkeypatch.setattr(TopHistory, "rows", slow)
            look = asyncio.create_task(view.look())
            await asyncio.to_thread(began.wait, 60)
        may_end.set()
        await look

    asyncio.run(leave())


def test_rates_are_unknown_until_there_are_two_looks() -> None:
    assert TopHistory().rows(journals(2, at=T0)).types[0][3:5] == ("–", "–")


def test_without_a_terminal_it_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["top", "1"]) == 1
    assert capsys.readouterr().err.startswith("arc-inspector: top draws on a terminal")


def test_without_the_package_it_is_one_line_that_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['textual'] = None\n"
        "from inspector.commands.app import run\n"
        "sys.exit(run(['top', '1']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "arc-inspector: top needs the package textual: pip install 'arc-inspector[terminal]'\n",
    )
