"""Output of ``arc-inspector handles`` for a snapshot."""

from __future__ import annotations

import pytest

from inspector.commands.handles import chosen_filter, print_handles
from inspector.model.grouping import Query, arrange
from inspector.model.snapshot import Snapshot
from tests.helpers.snapshots import Row, snapshot_of


def printed(snapshot: Snapshot, capsys: pytest.CaptureFixture[str], *, kind: str = "") -> str:
    print_handles(
        snapshot,
        arrange(snapshot, Query(filter=chosen_filter(kind, ""), column="age", moment_secs=0.0)),
        0,
    )
    return capsys.readouterr().out


def test_losses_refused_uses_and_notes_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(
        snapshot_of([Row(1)], lost={"events": 12, "misuse_stale": 3, "sampler_skips": 5}), capsys
    )
    assert "Lost: 12 events of threads without a ring\n" in text
    assert "Refused: 3 uses after release\n" in text
    assert "Note: 5 passes of the sampler cut short\n" in text


def test_nothing_lost_is_not_worth_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(snapshot_of([Row(1)]), capsys)
    assert "#1.1" in text
    assert "Lost" not in text


@pytest.mark.parametrize("kind", ["TodoItem", 'a "quoted" type', "two words"])
def test_a_type_is_taken_as_it_is_written(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(snapshot_of([Row(1), Row(2, type="Journal")]), capsys, kind=kind)
    assert ("#1.1" in text) == (kind == "TodoItem")
    assert "#2.1" not in text
