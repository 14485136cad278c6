from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from pytestqt.qtbot import QtBot

from inspector.model.columns import section_of
from inspector.model.filter import parse
from inspector.model.grouping import Arrangement, Query, arrange, hold
from inspector.model.snapshot import UNKNOWN, Outer, Snapshot
from inspector.ui.panes.handles.cells import Tone
from inspector.ui.panes.handles.model import SMALL_GROUP, HandleModel, IdRole
from inspector.vocabulary import Reference, handle_text
from tests.helpers.snapshots import (
    T0,
    Row,
    World,
    big_snapshot,
    handle_id,
    make_vitals,
    snapshot_of,
)

BY_SLOT = Query(column="id", descending=False)


def shown(snapshot: Snapshot, query: Query = BY_SLOT) -> Arrangement:
    return arrange(snapshot, query)


def first_column(model: HandleModel) -> list[str]:
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


@pytest.fixture
def model(qtbot: QtBot, qtmodeltester) -> HandleModel:
    made = HandleModel()
    qtmodeltester.check(made)
    return made


def test_groups_head_their_handles(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1), Row(2), Row(3, "Journal")])))
    assert first_column(model) == ["Journal", "#3.1", "TodoItem", "#1.1", "#2.1"]
    assert [model.id_at(row) for row in (0, 1)] == [None, handle_id(3)]


@pytest.mark.parametrize("steps", [(0, 3, 1, 0), (5, 500, 20), (1, 0, 1), (300, 300, 299, 301)])
def test_the_model_is_sound_whatever_comes_and_goes(
    model: HandleModel, qtmodeltester, steps: tuple[int, ...]
) -> None:
    for serial, count in enumerate(steps):
        model.show(shown(big_snapshot(count, serial=serial, seed=serial, tombstones=count // 3)))
        model.fold_all(folded=serial % 2 == 0)
        qtmodeltester.check(model)


def test_the_same_rows_with_new_values_move_nothing(model: HandleModel, qtbot: QtBot) -> None:
    model.show(shown(snapshot_of([Row(1, strong=1)])))
    with qtbot.assertNotEmitted(model.layoutChanged), qtbot.waitSignal(model.dataChanged):
        model.show(shown(snapshot_of([Row(1, strong=5)], serial=2)))
    assert model.index(1, section_of("strong")).data() == "5"


def of_kind(kind: str, *rows: Row) -> Snapshot:
    snapshot = snapshot_of(rows)
    types = {index: dataclasses.replace(row, kind=kind) for index, row in snapshot.types.items()}
    return dataclasses.replace(snapshot, types=types, sampled_at=T0 - 0.04)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [("arc", ["2", "0", "–"]), ("uniffi", ["≈2", "≈0", "–"]), ("uniffi_trait", ["≈2", "≈0", "–"])],
)
def test_calls_in_flight_are_marked_where_they_are_estimated(
    model: HandleModel, kind: str, texts: list[str]
) -> None:
    model.show(shown(of_kind(kind, Row(1, in_flight=2), Row(2), Row(3, in_flight=UNKNOWN))))
    cells = [model.index(row, section_of("in_flight")) for row in (1, 2, 3)]
    assert [cell.data() for cell in cells] == texts
    assert ("estimated" in str(cells[0].data(Qt.ItemDataRole.ToolTipRole))) is (kind != "arc")


def test_a_sampled_count_says_how_old_it_is(model: HandleModel) -> None:
    model.show(
        shown(of_kind("arc", Row(1, strong=3), Row(2, strong=0, reference=Reference.DROPPED)))
    )
    tips = [
        str(model.index(row, section_of("strong")).data(Qt.ItemDataRole.ToolTipRole))
        for row in (1, 2)
    ]
    assert "3, sampled 40 ms ago" in tips[0]
    assert "sampled" not in tips[1]


def strong_tip(model: HandleModel, outer: Outer, row: Row) -> list[str]:
    """The lines of the tooltip on a trait's strong count."""
    world = World(types=("Database",), traits={"Database": outer})
    model.show(shown(snapshot_of([row], world=world)))
    return str(model.index(1, section_of("strong")).data(Qt.ItemDataRole.ToolTipRole)).split("\n")


def test_a_traits_strong_count_tells_its_inner_and_its_outer_one(model: HandleModel) -> None:
    row = Row(1, "Database", strong=4, native_refs=3, inner_strong=2, outer_strong=3)
    assert strong_tip(model, Outer.ARC, row) == [
        "4, sampled 40 ms ago",
        "Inner Arc: strong 2, weak 0",
        "Outer Arc: strong 3 – this handle and 2 clones not yet released",
        "4 = inner 2 + outer 3 − 1",
    ]


def test_a_boxed_traits_strong_count_says_that_the_box_has_none(model: HandleModel) -> None:
    tip = strong_tip(model, Outer.BOX, Row(1, "Database", strong=1, inner_strong=1))
    assert tip[2] == "Outer box: has no count – this handle's own, for 1 inner reference"


def test_a_trait_whose_outer_count_is_unknown_still_tells_the_inner_one(model: HandleModel) -> None:
    row = Row(1, "Database", strong=UNKNOWN, native_refs=UNKNOWN, inner_strong=2)
    tip = strong_tip(model, Outer.ARC, row)
    assert "not sampled" in tip[0]
    assert tip[1:] == [
        "Inner Arc: strong 2, weak 0",
        ("Outer Arc: not sampled – the Arc that this handle points into"),
    ]


def test_a_strong_count_that_is_no_traits_has_one_line(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1)])))
    assert "\n" not in str(model.index(1, section_of("strong")).data(Qt.ItemDataRole.ToolTipRole))


def test_a_persistent_index_follows_its_handle(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(5), Row(6)])))
    kept = QPersistentModelIndex(model.index(1, section_of("age")))
    head = QPersistentModelIndex(model.index(0, 0))
    model.show(shown(snapshot_of([Row(1), Row(2), Row(5), Row(7, "Journal")], serial=2)))
    assert model.id_at(kept.row()) == handle_id(5)
    assert kept.column() == section_of("age")
    assert head.data() == "TodoItem"
    model.show(shown(snapshot_of([Row(1)], serial=3)))
    assert not kept.isValid()


def test_folding_hides_handles_and_keeps_the_head(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1), Row(2), Row(3, "Journal")])))
    group = model.group_at(2)
    assert group is not None
    model.fold(group, folded=True)
    assert first_column(model) == ["Journal", "#3.1", "TodoItem"]
    assert model.row_of(handle_id(1)) == -1
    model.fold_all(folded=True)
    assert first_column(model) == ["Journal", "TodoItem"]


def test_large_groups_start_folded_unless_alone(model: HandleModel) -> None:
    model.show(shown(big_snapshot(SMALL_GROUP * 4)))
    assert model.rowCount() == 3
    alone = HandleModel()
    alone.show(shown(snapshot_of([Row(slot) for slot in range(1, SMALL_GROUP + 5)])))
    assert alone.rowCount() == SMALL_GROUP + 5


def test_a_new_filter_that_leaves_one_type_unfolds_it(model: HandleModel) -> None:
    snapshot = big_snapshot(SMALL_GROUP * 4)
    model.show(shown(snapshot))
    model.show(arrange(snapshot, Query(filter=parse("type:Journal"))))
    assert model.rowCount() > 2


def test_a_new_row_is_green_and_a_dead_one_red_for_a_moment_only(model: HandleModel) -> None:
    rows = [
        Row(1, age_secs=0.5),
        Row(2, age_secs=60),
        Row(3, reference=Reference.DROPPED, changed_secs=1),
        Row(4, reference=Reference.RELEASED, changed_secs=30),
    ]
    model.show(shown(snapshot_of(rows)))
    assert model.cells is not None
    assert [model.cells.tone(row)[0] for row in range(4)] == [
        Tone.BORN,
        Tone.NORMAL,
        Tone.DYING,
        Tone.DEAD,
    ]


def test_unknown_is_a_dash_with_its_reason(model: HandleModel) -> None:
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
    model.show(shown(snapshot_of([row])))
    for key in ("strong", "weak", "native_refs", "in_flight", "thread", "site"):
        column = section_of(key)
        index = model.index(1, column)
        assert index.data() == "–"
        assert len(str(index.data(Qt.ItemDataRole.ToolTipRole))) > 10


def test_an_unseen_birth_says_when_the_agent_came_instead_of_an_age(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1, age_secs=float("nan")), Row(2, age_secs=3)])))
    index = model.index(1, section_of("age"))
    assert index.data() == "unseen"
    assert "when the agent, which came" in str(index.data(Qt.ItemDataRole.ToolTipRole))
    assert model.group_at(0) is not None
    assert "1 made before attach" in str(
        model.index(0, section_of("id")).data(Qt.ItemDataRole.ToolTipRole)
    )


def test_the_life_of_a_dead_row_whose_birth_was_unseen_is_a_dash(model: HandleModel) -> None:
    model.show(
        shown(
            snapshot_of(
                [Row(1, age_secs=float("nan"), reference=Reference.RELEASED, changed_secs=0.1)]
            )
        )
    )
    index = model.index(1, section_of("age"))
    assert index.data() == "–"
    assert "not known how long" in str(index.data(Qt.ItemDataRole.ToolTipRole))


def test_a_negative_native_count_is_shown_and_explained(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1, strong=1, proxies=2, native_refs=-1)])))
    index = model.index(1, section_of("native_refs"))
    assert index.data() == "−1"
    assert "double free" in str(index.data(Qt.ItemDataRole.ToolTipRole))


def test_numbers_stand_right_and_grouped(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1, strong=12408)])))
    index = model.index(1, section_of("strong"))
    assert index.data() == "12,408"
    assert index.data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignRight)


def test_a_group_names_its_counts_and_rates(model: HandleModel) -> None:
    model.show(
        shown(
            snapshot_of(
                [Row(1, "TodoList", age_secs=240), Row(2, "TodoList", reference=Reference.DROPPED)]
            )
        )
    )
    model.add_vitals(make_vitals(T0, [0], [0]))
    model.add_vitals(make_vitals(T0 + 1, [4], [2]))
    said = str(model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole))
    assert said == (
        "TodoList, 1 handle → 1 object, +4.0/s  −2.0/s, oldest 4 min, 1 tombstone, expanded"
    )


def test_a_held_order_inserts_nothing_above(model: HandleModel) -> None:
    first = arrange(snapshot_of([Row(5, age_secs=9), Row(6, age_secs=8)]), Query())
    model.show(first)
    model.show(hold(first, snapshot_of([Row(4, age_secs=99), Row(5), Row(6)], serial=2), Query()))
    assert first_column(model) == ["TodoItem", "#5.1", "#6.1", "#4.1"]


def test_ids_between_rows_leave_heads_out(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(1), Row(2), Row(3, "Journal"), Row(4, "Journal")])))
    assert [handle_text(handle) for handle in model.ids_between(1, 4)] == ["#3.1", "#4.1", "#1.1"]
    assert model.ids_between(0, 0) == []


def test_clearing_forgets_everything(model: HandleModel, qtmodeltester) -> None:
    model.show(shown(big_snapshot(50)))
    model.clear()
    qtmodeltester.check(model)
    assert model.rowCount() == 0
    assert model.data(model.index(0, 0)) is None
    assert model.rowCount(QModelIndex()) == 0


def test_handle_rows_carry_their_number(model: HandleModel) -> None:
    model.show(shown(snapshot_of([Row(7, generation=3)])))
    assert model.index(1, 0).data(IdRole) == handle_id(7, 3)
    assert model.index(0, 0).data(IdRole) is None


def test_a_table_in_which_nothing_happens_is_painted_once_a_second(qtbot: QtBot) -> None:
    model = HandleModel()
    row = Row(1, age_secs=60.0, changed_secs=60.0)
    painted: list[float] = []
    model.dataChanged.connect(lambda *_: painted.append(tenths))
    for tenths in range(31):
        secs = tenths / 10
        aged = dataclasses.replace(row, age_secs=60.0 + secs, changed_secs=60.0 + secs)
        model.show(arrange(snapshot_of([aged], at=T0 + secs, serial=tenths + 1), Query()))
    assert painted == [10, 20, 30]
