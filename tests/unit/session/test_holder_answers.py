from __future__ import annotations

from typing import Any

import pytest

from inspector.errors import ControlError
from inspector.model.holders import NamedHolder, SearchProgress
from inspector.session.holder_answers import cycles_in, native_holders_in, retainers_in
from inspector.session.searching import Search
from inspector.wire.messages import Answer


def answer(**fields: Any) -> Answer:
    return Answer(nonce=1, ok=True, error="", status="", fields=fields)


PATH = {
    "root": True,
    "steps": [{"kind": "global", "text": "global app.CACHE", "file": "", "line": 0}],
}


def test_paths_are_read_with_what_the_search_cost() -> None:
    found = retainers_in(
        answer(paths=[PATH], holders=1, looked_at=7, is_cut=False, longest_step_ms=2.5)
    )
    assert found.paths[0].steps[0].text == "global app.CACHE"
    assert found.longest_step_secs == 0.0025


def test_fields_and_labels_are_named_holders_alike() -> None:
    fields = [{"from": 64, "type": "TodoList", "label": "items", "count": 2}]
    found = native_holders_in(
        answer(fields=fields, labels=[{"label": "recent", "count": 1}], unread=0, unnamed=4)
    )
    assert found.named == (NamedHolder("items", 2, "TodoList", 64), NamedHolder("recent", 1))
    assert found.total() == 7
    assert [holder.text() for holder in found.named] == ["TodoList.items", "“recent”"]


def test_what_a_scan_found_is_told_apart() -> None:
    fields = [
        {"from": 64, "type": "Wallet", "label": "2 pointers away", "count": 1, "exact": False}
    ]
    (holder,) = native_holders_in(answer(fields=fields, labels=[], unread=0, unnamed=0)).named
    assert (holder.is_exact, holder.text()) == (False, "≈ Wallet, 2 pointers away")


def test_a_cycle_names_the_node_whose_edge_is_to_be_cut() -> None:
    nodes = [
        {"side": "native", "text": "foreign object 1", "edge": "keeps alive"},
        {
            "side": "python",
            "text": "app.Watcher",
            "edge": "attribute items of app.Watcher",
            "file": "app.py",
            "line": 3,
        },
        {"side": "python", "text": "proxy TodoList", "edge": "owns a reference on", "handle": 66},
        {"side": "native", "text": "native object", "edge": "TodoList.listeners", "exact": False},
    ]
    cycle = {"nodes": nodes, "cut": "attribute items of app.Watcher", "exact": False}
    (found,) = cycles_in(answer(cycles=[cycle], count=1, looked_at=9, is_cut=False)).cycles
    assert found.cut_index() == 1
    assert [node.is_exact for node in found.nodes] == [True, True, True, False]


@pytest.mark.parametrize("read", [retainers_in, native_holders_in, cycles_in])
@pytest.mark.parametrize(
    "fields",
    [{}, {"paths": 5, "fields": 5, "cycles": 5}, {"paths": [{}], "fields": [{}], "cycles": [{}]}],
)
def test_an_answer_that_makes_no_sense_is_one_line(read: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="is not understood"):
        read(answer(**fields))


def test_a_search_hears_how_far_it_is_and_passes_over_nonsense() -> None:
    heard: list[SearchProgress] = []
    search = Search(heard.append)
    search.hear(answer(looked_at=3, found=1, more=True))
    search.hear(answer(looked_at="many"))
    assert heard == [SearchProgress(3, 1)]
    assert not search.is_given_up
    search.give_up()
    assert search.is_given_up
