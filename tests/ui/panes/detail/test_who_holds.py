from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from inspector.model.equation import equation_of
from inspector.model.holders import (
    NamedHolder,
    NativeHolders,
    PathStep,
    RetainerPath,
    Retainers,
    SearchProgress,
    UnseenHolder,
)
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.ui.kit.theme import DARK, Theme
from inspector.ui.panes.detail.who_holds import WhoHolds
from tests.helpers.reading import button, follow_link, is_shown, text_of
from tests.helpers.snapshots import Row, World, handle_id, snapshot_of

EQUATION, NATIVE, PATHS, PROGRESS = (
    "Count equation",
    "Native holders",
    "Paths from Python",
    "Progress of the search",
)
SEARCH = "Who holds it"
HELD = Row(7, "TodoItem", strong=4, weak=0, proxies=1, native_refs=3)
HELD_ADDRESS = 0x7F00_0000_1000
HOLDER = Row(9, "TodoList", strong=1, proxies=1, native_refs=0)
FOUND = Retainers(
    paths=(
        RetainerPath(
            (PathStep("global", "global app.CACHE"), PathStep("item", "[3] of a list of 9")),
            is_rooted=True,
        ),
        RetainerPath((PathStep("local", "local item of add", "/src/app.py", 41),), is_rooted=True),
        RetainerPath((PathStep("item", "[0] of a list of 2"),), is_rooted=False),
    ),
    holders=5,
    looked_at=1234,
    is_cut=False,
    longest_step_secs=0.0021,
)


class Asked:
    """Writes down the requests."""

    def __init__(self) -> None:
        self.native: list[int] = []
        self.searches: list[int] = []
        self.given_up = 0

    def name_native(self, handle: int) -> None:
        self.native.append(handle)

    def find_retainers(self, handle: int) -> None:
        self.searches.append(handle)

    def give_up(self) -> None:
        self.given_up += 1


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def who(qtbot: QtBot, theme: Theme, asked: Asked) -> WhoHolds:
    made = WhoHolds(theme, asked)
    qtbot.addWidget(made)
    made.resize(340, 400)
    show(made, HELD)
    made.show()
    return made


def show(who: WhoHolds, *rows: Row) -> Snapshot:
    snapshot = snapshot_of(list(rows))
    who.show_handle(rows[0].id, equation_of(snapshot.handles, 0), snapshot)
    return snapshot


def test_each_term_of_the_equation_is_a_link_that_asks_for_its_holders(
    who: WhoHolds, asked: Asked
) -> None:
    assert '<a href="proxies"' in text_of(who, EQUATION)
    assert '<a href="native"' in text_of(who, EQUATION)
    follow_link(who, EQUATION, "native")
    follow_link(who, EQUATION, "proxies")
    assert (asked.native, asked.searches) == ([HELD.id], [HELD.id])


def test_names_leave_only_what_nobody_knows_unexplained(who: WhoHolds) -> None:
    names = NativeHolders(
        (NamedHolder("items", 1, "TodoList", HOLDER.address), NamedHolder("recent items", 1))
    )
    show(who, HELD, HOLDER)
    who.show_native(HELD.id, names)
    assert who.bar.accessibleName() == "strong 4 = 1 proxy + 2 named native refs + 1 unexplained"
    assert "TodoList.items" in text_of(who, NATIVE)
    assert "“recent items”" in text_of(who, NATIVE)


def test_a_named_holder_with_a_handle_leads_to_it(who: WhoHolds, qtbot: QtBot) -> None:
    snapshot = show(who, HELD, HOLDER)
    address = int(snapshot.handles.addresses[1])
    who.show_native(HELD.id, NativeHolders((NamedHolder("items", 3, "TodoList", address),)))
    assert f"handle:{HOLDER.id}" in text_of(who, NATIVE)
    with qtbot.waitSignal(who.handle_chosen) as chosen:
        follow_link(who, NATIVE, f"handle:{HOLDER.id}")
    assert chosen.args == [HOLDER.id]


def test_no_name_at_all_is_a_sentence_and_everything_is_unexplained(who: WhoHolds) -> None:
    who.show_native(HELD.id, NativeHolders((), unread=2))
    assert who.bar.accessibleName() == "strong 4 = 1 proxy + 3 unexplained"
    assert "2 objects could not be asked" in text_of(who, NATIVE)
    who.show_native(HELD.id, NativeHolders(()))
    assert "has a name" in text_of(who, NATIVE)


def test_a_pending_call_is_a_native_holder_with_its_age_before_the_target_is_asked(
    who: WhoHolds,
) -> None:
    call = Row(
        11, "Client.relays", address=HELD_ADDRESS, strong=UNKNOWN, proxies=UNKNOWN, age_secs=41.0
    )
    snapshot = snapshot_of(
        [replace(HELD, address=HELD_ADDRESS), call],
        world=World(types=("TodoItem", "Client.relays")),
    )
    kinds = {
        index: replace(known, kind="uniffi_call" if index == 2 else "uniffi")
        for index, known in snapshot.types.items()
    }
    who.show_handle(HELD.id, equation_of(snapshot.handles, 0), replace(snapshot, types=kinds))
    assert who.bar.accessibleName() == "strong 4 = 1 proxy + 1 named native ref + 2 native refs"
    assert "pending call Client.relays, 41 s" in text_of(who, NATIVE)
    assert f"handle:{call.id}" in text_of(who, NATIVE)
    who.show_native(HELD.id, NativeHolders((NamedHolder("items", 1, "TodoList"),)))
    assert who.bar.accessibleName() == "strong 4 = 1 proxy + 2 named native refs + 1 unexplained"
    show(who, HELD)
    assert "pending call" not in text_of(who, NATIVE)


def test_a_search_says_how_far_it_is_and_can_be_stopped(who: WhoHolds, asked: Asked) -> None:
    button(who, SEARCH).click()
    who.show_progress(HELD.id, SearchProgress(1000, 2))
    assert text_of(who, PROGRESS) == "1,000 objects looked at, 2 paths found …"
    button(who, "Stop").click()
    assert (asked.given_up, text_of(who, PROGRESS)) == (1, "Given up")
    assert button(who, SEARCH).isVisible()


def test_paths_are_told_from_their_roots_down_with_a_door_to_the_line(
    who: WhoHolds, qtbot: QtBot
) -> None:
    button(who, SEARCH).click()
    who.show_retainers(HELD.id, FOUND)
    text = text_of(who, PATHS)
    assert (
        text.index("global app.CACHE")
        < text.index("[3] of a list of 9")
        < text.index("local item of add")
    )
    assert "no root found" in text
    assert "and 2 more holders" in text
    assert "2.1 ms at most" in text_of(who, PROGRESS)
    with qtbot.waitSignal(who.line_wanted) as wanted:
        follow_link(who, PATHS, "line%3A%2Fsrc%2Fapp.py%3A41")
    assert wanted.args == ["/src/app.py", 41]


def test_holders_that_only_memory_tells_are_shown_instead_of_nothing(who: WhoHolds) -> None:
    holder = UnseenHolder("rpds.Map at 0x7f10", 0x7F10, 1, 4, is_certain=True)
    button(who, SEARCH).click()
    who.show_retainers(HELD.id, replace(FOUND, paths=(), holders=0, unseen=(holder,)))
    text = text_of(who, PATHS)
    assert "unknown to the collector" in text
    assert "rpds.Map at 0x7f10, 4 allocations away" in text
    assert "Nothing in Python" not in text


def test_answers_for_a_handle_that_is_no_longer_shown_are_passed_over(
    who: WhoHolds, asked: Asked
) -> None:
    button(who, SEARCH).click()
    show(who, HOLDER)
    assert asked.given_up == 1
    who.show_retainers(HELD.id, FOUND)
    who.show_native(HELD.id, NativeHolders(()))
    assert not is_shown(who, PATHS)
    assert not is_shown(who, NATIVE)


def test_a_refusal_is_shown_where_the_answer_would_be(who: WhoHolds) -> None:
    button(who, SEARCH).click()
    who.show_failure(HELD.id, "No Python object stands behind this handle")
    assert text_of(who, PROGRESS) == "No Python object stands behind this handle"
    assert button(who, SEARCH).isVisible()


def test_without_anybody_to_ask_nothing_is_a_link(qtbot: QtBot, theme: Theme) -> None:
    made = WhoHolds(theme)
    qtbot.addWidget(made)
    show(made, HELD)
    assert "href" not in text_of(made, EQUATION)
    assert not button(made, SEARCH).isVisibleTo(made)
    made.set_theme(DARK)


def test_handles_of_the_helper_are_what_the_links_say() -> None:
    assert HELD.id == handle_id(7)
