"""Sites: the line of the program, without the tool's own frames, described once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Level
from inspector.wire import lib
from inspector.wire.schema import SITE_FRAMES


@pytest.fixture
def level() -> Iterator[None]:
    before = lib.ai_level()
    yield
    lib.ai_set_level(before)
    lib.ai_set_site(0)


def here(sites: SiteTable, limit: int) -> int:
    return sites.here(limit)


def deep(sites: SiteTable, depth: int) -> int:
    return deep(sites, depth - 1) if depth else sites.here(SITE_FRAMES)


def test_the_same_line_is_the_same_site_and_another_line_is_another() -> None:
    sites = SiteTable()
    first, second = [sites.here(1) for _ in range(2)]
    other = sites.here(1)
    assert first == second != other
    assert first > 0


def test_one_frame_does_not_tell_callers_apart_and_a_stack_does() -> None:
    sites = SiteTable()
    frame, stack = here(sites, 1), here(sites, 3)
    assert here(sites, 1) == frame
    assert here(sites, 3) != stack


def test_a_stack_deeper_than_a_site_is_cut_and_still_one_site() -> None:
    sites = SiteTable()
    found = {deep(sites, depth) for depth in (SITE_FRAMES + 5, SITE_FRAMES + 5)}
    assert len(found) == 1
    assert deep(sites, 1) not in found


def test_frames_of_the_modules_that_are_left_out_do_not_count() -> None:
    tables = SiteTable(), SiteTable(own_modules=(__name__,))
    assert len({table.here(1) for table in tables}) == 2


def test_another_table_finds_the_same_number_for_the_same_stack() -> None:
    assert len({table.here(1) for table in (SiteTable(), SiteTable())}) == 1


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(
    ("level_now", "is_marked"),
    [(Level.OFF, False), (Level.COUNT, False), (Level.HISTORY, True), (Level.STACKS, True)],
)
def test_nothing_is_looked_at_below_level_history(level_now: Level, is_marked: bool) -> None:
    lib.ai_set_level(level_now)
    assert SiteTable().mark() is is_marked
