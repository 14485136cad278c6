"""Native code releases Python objects at bad moments: no deadlock, no crash, nothing left."""

from __future__ import annotations

import pytest

from inspector.vocabulary import Reference
from tests.helpers.tables import read_table
from tests.helpers.targets import start_target

LONG_SECS = 300.0


@pytest.mark.parametrize(("how", "rounds"), [("held", 100), ("ended", 200), ("local", 200)])
@pytest.mark.parametrize("level", ["off", "history"])
def test_python_objects_dropped_from_native_threads_all_go_and_nothing_hangs(
    how: str, rounds: int, level: str
) -> None:
    with start_target("dropping", how, str(rounds), level) as target:
        gone, expected = target.expect("dropped", patience_secs=LONG_SECS)
        assert gone == expected
        assert target.finish() == 0
        assert target.errors() == ""


@pytest.mark.parametrize("run", range(6))
def test_python_objects_dropped_while_the_interpreter_ends_do_no_harm(run: int) -> None:
    with start_target("dropping", "exit", "50") as target:
        assert target.finish(patience_secs=LONG_SECS) == 0
        assert target.errors() == ""


@pytest.mark.soak
@pytest.mark.parametrize("how", ["held", "ended", "local"])
def test_python_objects_are_dropped_ten_thousand_times(how: str) -> None:
    with start_target("dropping", how, "10000") as target:
        gone, expected = target.expect("dropped", patience_secs=LONG_SECS)
        assert gone == expected
        assert target.finish() == 0


@pytest.mark.soak
def test_two_hundred_programs_end_while_python_objects_are_dropped() -> None:
    for _ in range(200):
        with start_target("dropping", "exit", "50") as target:
            assert target.finish(patience_secs=LONG_SECS) == 0
            assert target.errors() == ""


def test_both_directions_have_rows() -> None:
    with start_target("todo") as target:
        target.ask("listening heard")
        segment = target.ready["segment"]
        live = read_table(segment).live()
        kinds = sorted(row.type for row in live)
        assert kinds == ["Listener (foreign)", "TodoList"]
        (foreign,) = (row for row in live if row.type == "Listener (foreign)")
        assert foreign.number & 1
        target.ask("drop heard")
        assert read_table(segment).row(foreign.number).reference is Reference.RELEASED
        assert target.finish() == 0
