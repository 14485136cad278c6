from __future__ import annotations

import dataclasses
import gc
import weakref

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from inspector.model.equation import equation_of
from inspector.model.findings.leads import Coverage, FailedCallback
from inspector.model.snapshot import UNKNOWN, Outer, TargetState
from inspector.model.stacks import Frame, Site
from inspector.ui.kit.theme import DARK, LIGHT, Theme
from inspector.ui.panes.detail.count_bar import CountBar, sentence
from inspector.ui.panes.detail.pane import MAX_SIBLINGS, DetailPane
from inspector.ui.panes.detail.state_lane import StateLane, reference_lane, resource_lane
from inspector.ui.panes.detail.trait_counts import TraitCounts
from inspector.vocabulary import Kind, Reference, Resource
from tests.helpers import reading
from tests.helpers.reading import click, is_shown, part, text_of
from tests.helpers.snapshots import Row, World, big_snapshot, handle_id, snapshot_of, with_state

PENDING = Row(
    7,
    "Journal",
    generation=2,
    resource=Resource.WAITING_OWNER,
    strong=4,
    weak=1,
    proxies=2,
    native_refs=1,
    in_flight=1,
    age_secs=240,
    changed_secs=41,
    thread="worker-1",
    owner="worker-2",
    requester="MainThread",
    last_site=3,
)


@pytest.fixture
def pane(qtbot: QtBot, theme: Theme) -> DetailPane:
    made = DetailPane(theme)
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    return made


def fact(pane: DetailPane, name: str) -> str:
    return reading.fact(pane, name).text()


def equation(pane: DetailPane) -> str:
    """The equation of the counts, as a screen reader says it."""
    return pane.findChildren(CountBar)[0].accessibleName()


def test_nothing_selected_is_a_sentence(pane: DetailPane) -> None:
    assert text_of(pane, "Why there is no handle") == "Select a handle to see its holders"
    assert not is_shown(pane, "Detail")


def test_a_pending_close_is_told_whole(pane: DetailPane) -> None:
    pane.choose(PENDING.id, snapshot_of([PENDING]))
    assert text_of(pane, "Handle") == "#7.2"
    assert "close(flush)" in text_of(pane, "Type")
    assert "by" in fact(pane, "Created")
    assert "4 min ago" in fact(pane, "Created")
    assert "app.py:41 add" in fact(pane, "Site")
    assert "waits for owner, 41 s ago" in fact(pane, "Changed")
    assert "asked for the close" in fact(pane, "Asked by")
    assert "sync.py:88 sync" in fact(pane, "Asked by")
    assert "worker-2" in fact(pane, "Owner thread")
    assert is_shown(pane, "Resource")


def test_a_native_frame_without_a_line_tells_the_reason(pane: DetailPane) -> None:
    snapshot = snapshot_of([PENDING])
    frames = (
        Frame("keep", "/srv/shop.c", 4, "/srv/libshop.so"),
        Frame("0x7f00", "/srv/old.so", 0, "/srv/old.so", "the file was replaced"),
    )
    created = int(snapshot.handles.created_sites[0])
    sites = {**snapshot.sites, created: Site(created, frames)}
    pane.choose(PENDING.id, dataclasses.replace(snapshot, sites=sites))
    assert "shop.c:4 keep<br>old.so 0x7f00 (the file was replaced)" in fact(pane, "Site")


def test_failed_calls_are_told_of_python_objects_that_native_code_holds_and_of_no_other(
    pane: DetailPane,
) -> None:
    row = Row(1)
    snapshot = snapshot_of([row])
    pane.choose(row.id, snapshot)
    assert reading.fact(pane, "Failed calls").isHidden()
    types = {
        index: dataclasses.replace(each, kind=Kind.UNIFFI_FOREIGN.word)
        for index, each in snapshot.types.items()
    }
    pane.choose(row.id, dataclasses.replace(snapshot, types=types))
    assert fact(pane, "Failed calls") == "–"
    assert not reading.fact(pane, "Failed calls").isHidden()
    failed = FailedCallback(
        "Listener.on_event",
        "ValueError",
        "app.py:12 on_event",
        3,
        ((row.id, 3),),
        newest_of=frozenset({row.id}),
    )
    pane.show_coverage(Coverage(failed=(failed,)))
    assert fact(pane, "Failed calls") == (
        "3, last in Listener.on_event at app.py:12 on_event (ValueError)"
    )
    pane.show_coverage(Coverage(failed=()))
    assert fact(pane, "Failed calls") == "0"


def test_the_thread_that_changed_a_handle_last_is_told_beside_the_one_that_made_it(
    pane: DetailPane,
) -> None:
    row = Row(3, thread="worker-1", last_thread="worker-2")
    pane.choose(row.id, snapshot_of([row]))
    assert "worker-1" in fact(pane, "Created")
    assert "worker-2" in fact(pane, "Last changed on")


def test_the_count_is_explained_in_words_and_parts(pane: DetailPane) -> None:
    pane.choose(PENDING.id, snapshot_of([PENDING]))
    assert equation(pane) == "strong 4 = 2 proxies + 1 native ref + 1 unexplained, 1 call in flight"
    assert text_of(pane, "Count equation").endswith("; weak\u00a01")


def choose_trait(pane: DetailPane, outer: Outer = Outer.ARC, **facts: int) -> None:
    world = World(types=("Database",), traits={"Database": outer})
    row = Row(7, "Database", **facts)
    pane.choose(row.id, snapshot_of([row], world=world))


def counts_shown(pane: DetailPane) -> list[str]:
    """The lines on a trait's counts that can be seen."""
    (counts,) = pane.findChildren(TraitCounts)
    shown = (counts.inner, counts.inner_meaning, counts.outer, counts.outer_meaning, counts.sum)
    return [label.text() for label in shown if label.isVisible()]


def test_a_trait_shows_its_inner_and_its_outer_count(pane: DetailPane) -> None:
    choose_trait(pane, strong=4, weak=1, native_refs=3, inner_strong=2, outer_strong=3)
    assert counts_shown(pane) == [
        "strong 2, weak 1",
        "1 for each outer Arc, the rest native",
        "strong 3",
        "This handle and 2 clones not yet released",
        "4 = inner 2 + outer 3 − 1",
    ]
    assert equation(pane) == (
        "strong 4 = 1 proxy + 3 native refs; inner 2, outer 3 (2 clones of the handle)"
    )
    assert "weak" not in text_of(pane, "Count equation"), "whose it is, is said below"


def test_a_traits_calls_in_flight_are_beside_its_counts(pane: DetailPane) -> None:
    choose_trait(pane, strong=1, inner_strong=1, outer_strong=1, in_flight=2)
    assert equation(pane) == "strong 1 = 1 proxy, ≈2 calls in flight; inner 1, outer 1"
    assert counts_shown(pane)[2:] == ["strong 1", "This handle alone", "1 = inner 1 + outer 1 − 1"]


def test_a_trait_in_a_box_says_that_the_box_has_no_count(pane: DetailPane) -> None:
    choose_trait(pane, Outer.BOX, strong=2, native_refs=1, inner_strong=2)
    assert pane.findChildren(TraitCounts)[0].outer_name.text() == "Outer box"
    assert counts_shown(pane) == [
        "strong 2, weak 0",
        "1 for each outer box, the rest native",
        "has no count",
        "This handle's own, for 1 inner reference",
        "2 = inner 2",
    ]
    assert equation(pane) == "strong 2 = 1 proxy + 1 native ref; inner 2, outer is a box"


def test_a_trait_that_was_not_sampled_says_so_and_shows_no_number(pane: DetailPane) -> None:
    choose_trait(pane, strong=UNKNOWN, weak=UNKNOWN, native_refs=UNKNOWN)
    assert counts_shown(pane)[::2] == ["not sampled", "not sampled"]
    assert equation(pane) == "strong count not sampled, 1 proxy known"


def test_a_trait_in_a_file_of_before_says_that_its_parts_are_not_in_it(pane: DetailPane) -> None:
    choose_trait(pane, Outer.NONE, strong=4, native_refs=3)
    assert counts_shown(pane)[::2] == ["not in this file, weak 0", "not in this file"]
    assert equation(pane) == "strong 4 = 1 proxy + 3 native refs"


def test_the_counts_of_a_trait_go_with_the_selection(pane: DetailPane) -> None:
    choose_trait(pane, strong=1, inner_strong=1, outer_strong=1)
    assert counts_shown(pane)
    pane.choose(PENDING.id, snapshot_of([PENDING]))
    assert not counts_shown(pane)


def test_other_handles_of_a_trait_object_add_what_their_outer_arcs_count(pane: DetailPane) -> None:
    world = World(types=("Database",), traits={"Database": Outer.ARC})
    counts = {"address": 64, "strong": 6, "proxies": 2, "native_refs": 4, "inner_strong": 3}
    rows = [
        Row(1, "Database", outer_strong=3, **counts),
        Row(2, "Database", outer_strong=2, **counts),
    ]
    pane.choose(rows[0].id, snapshot_of(rows, world=world))
    assert counts_shown(pane)[-1] == "6 = inner 3 + outer 3 − 1 + 1 in outer Arcs of other handles"


def test_an_ended_owner_thread_is_named_as_ended(pane: DetailPane) -> None:
    pane.choose(PENDING.id, snapshot_of([PENDING], world=World(ended_threads=("worker-2",))))
    assert "(ended)" in fact(pane, "Owner thread")


def test_a_tombstone_is_readable(pane: DetailPane) -> None:
    dead = Row(
        3,
        reference=Reference.DROPPED,
        resource=Resource.NEVER_CLOSED,
        strong=0,
        proxies=0,
        requester="worker-3",
        changed_secs=9,
    )
    pane.choose(dead.id, snapshot_of([dead]))
    assert "dropped, never closed" in fact(pane, "Changed")
    assert "asked for the release" in fact(pane, "Asked by")
    assert part(pane, "Reference", StateLane).accessibleName() == "Reference: dropped"
    assert part(pane, "Resource", StateLane).accessibleName() == "Resource: never closed"


def test_a_handle_that_leaves_the_table_keeps_its_last_facts(pane: DetailPane) -> None:
    pane.choose(PENDING.id, snapshot_of([PENDING]))
    pane.show_snapshot(snapshot_of([Row(7, generation=3)], serial=2))
    assert is_shown(pane, "No longer in the table")
    assert text_of(pane, "Handle") == "#7.2"
    pane.choose(handle_id(7, 3), snapshot_of([Row(7, generation=3)], serial=2))
    assert not is_shown(pane, "No longer in the table")


def test_unknown_facts_say_why(pane: DetailPane) -> None:
    row = Row(
        1,
        strong=UNKNOWN,
        weak=UNKNOWN,
        native_refs=UNKNOWN,
        in_flight=UNKNOWN,
        age_secs=float("nan"),
        thread="",
        site=0,
    )
    pane.choose(row.id, snapshot_of([row]))
    assert "not sampled" in text_of(pane, "Count equation")
    assert fact(pane, "Created") == "before the agent started"
    assert "not recorded" in fact(pane, "Site")


def test_other_handles_of_the_object_are_links(pane: DetailPane, qtbot: QtBot) -> None:
    rows = [Row(slot, address=64) for slot in range(1, MAX_SIBLINGS + 4)] + [
        Row(90, address=64, reference=Reference.RELEASED)
    ]
    pane.choose(handle_id(1), snapshot_of(rows))
    assert fact(pane, "Same object").count("<a ") == MAX_SIBLINGS
    assert "and 2 more" in fact(pane, "Same object")
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        reading.fact(pane, "Same object").linkActivated.emit(f"handle:{handle_id(2)}")
    assert chosen.args == [handle_id(2)]


def test_a_click_on_a_thread_filters_by_it(pane: DetailPane, qtbot: QtBot) -> None:
    world = World(threads=("MainThread", 'a "b" <i>', "worker-2"))
    pane.choose(1, None)
    row = Row(1, thread='a "b" <i>')
    pane.choose(row.id, snapshot_of([row], world=world))
    assert "<i>" not in fact(pane, "Created").replace("&lt;i&gt;", "")
    where = fact(pane, "Created").split('href="')[1].split('"')[0]
    with qtbot.waitSignal(pane.filter_wanted) as wanted:
        reading.fact(pane, "Created").linkActivated.emit(where)
    assert wanted.args[0].startswith("thread:")


def test_the_id_can_be_copied(pane: DetailPane) -> None:
    pane.choose(PENDING.id, snapshot_of([PENDING]))
    click(pane, "Copy id")
    assert QGuiApplication.clipboard().text() == "#7.2"


def test_a_lost_target_keeps_the_detail(pane: DetailPane) -> None:
    snapshot = snapshot_of([PENDING])
    pane.choose(PENDING.id, snapshot)
    pane.show_snapshot(with_state(snapshot, TargetState.POST_MORTEM))
    assert not is_shown(pane, "No longer in the table")
    assert text_of(pane, "Handle") == "#7.2"


def test_one_of_100_000_handles_is_found(pane: DetailPane) -> None:
    snapshot = big_snapshot(100_000)
    pane.show_snapshot(snapshot)
    pane.choose(handle_id(99_999))
    assert text_of(pane, "Handle") == "#99999.1"


def test_a_dropped_pane_leaves_nothing(qtbot: QtBot, theme: Theme) -> None:
    pane = DetailPane(theme)
    pane.choose(PENDING.id, snapshot_of([PENDING]))
    left = [weakref.ref(pane), weakref.ref(pane.findChildren(CountBar)[0])]
    pane.deleteLater()
    del pane
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(part() is None for part in left))


@pytest.mark.parametrize("resource", [state for state in Resource if state != Resource.NONE])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_resource_state_has_its_step(qtbot: QtBot, theme: Theme, resource: Resource) -> None:
    lane = resource_lane(resource)
    assert lane is not None
    widget = StateLane(theme)
    qtbot.addWidget(widget)
    widget.show_lane(lane)
    assert widget.accessibleName() == f"Resource: {lane.steps[lane.reached]}"
    assert not widget.grab().isNull()


def test_a_type_without_a_resource_has_no_lane() -> None:
    assert resource_lane(Resource.NONE) is None


@pytest.mark.parametrize("reference", [state for state in Reference if state != Reference.FREE])
def test_every_reference_state_has_its_step(reference: Reference) -> None:
    assert reference_lane(reference).reached == reference - 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row(1, strong=0, proxies=0), "strong 0 = 0"),
        (Row(1, strong=1, proxies=2, native_refs=-1), "strong 1 = 2 proxies, 1 too few"),
        (
            Row(1, strong=UNKNOWN, proxies=2, native_refs=UNKNOWN),
            ("strong count not sampled, 2 proxies known"),
        ),
        (
            Row(1, strong=2, proxies=1, native_refs=1, in_flight=2),
            ("strong 2 = 1 proxy + 1 native ref, 2 calls in flight"),
        ),
    ],
)
def test_a_count_bar_says_what_it_paints(qtbot: QtBot, theme: Theme, row: Row, words: str) -> None:
    equation = equation_of(snapshot_of([row]).handles, 0)
    bar = CountBar(theme)
    qtbot.addWidget(bar)
    bar.show_equation(equation)
    assert sentence(equation) == words
    assert bar.accessibleName() == words
    assert not bar.grab().isNull()


def test_calls_that_are_estimated_say_so(qtbot: QtBot, theme: Theme) -> None:
    snapshot = snapshot_of([Row(1, strong=2, proxies=1, native_refs=1, in_flight=2)])
    equation = equation_of(
        snapshot.handles, 0, dataclasses.replace(snapshot.types[2], kind="uniffi")
    )
    assert sentence(equation) == "strong 2 = 1 proxy + 1 native ref, ≈2 calls in flight"


def test_the_parts_of_a_count_bar_are_as_wide_as_their_counts(qtbot: QtBot, theme: Theme) -> None:
    bar = CountBar(theme)
    qtbot.addWidget(bar)
    bar.resize(401, 60)
    bar.show_equation(
        equation_of(snapshot_of([Row(1, strong=4, proxies=1, native_refs=3)]).handles, 0)
    )
    painted = bar.grab().toImage()
    assert painted.pixelColor(50, 8) == theme.color("proxies")
    assert painted.pixelColor(150, 8) == theme.color("native")
    assert painted.pixelColor(390, 8) == theme.color("native")


def test_what_is_not_known_from_outside_is_said_so(pane: DetailPane) -> None:
    snapshot = snapshot_of([Row(1, site=0, age_secs=float("nan"))])
    outside = dataclasses.replace(
        snapshot, target=dataclasses.replace(snapshot.target, from_outside=True)
    )
    pane.choose(handle_id(1), outside)
    assert fact(pane, "Created") == "before the first look"
    assert fact(pane, "Site") == "not known: the process is looked at from outside"
