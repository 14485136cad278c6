"""A failure at the start or the end of an agent leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.targets import start_target


def test_adapters_come_off_in_reverse() -> None:
    with start_target("slot_steps") as target:
        target.ask("start first second")
        target.ask("stop")
        state = target.ask("state")
        assert state["notes"] == ["first attach", "second attach", "second detach", "first detach"]
        assert state["as_before"]


def test_an_adapter_that_cannot_attach_stops_the_start_and_leaves_nothing() -> None:
    with start_target("slot_steps") as target:
        target.tell("start first second:attach")
        assert target.expect("error")["message"] == "second cannot attach"
        state = target.ask("state")
        assert state == {
            "notes": ["first attach", "second attach", "second detach", "first detach"],
            "running": False,
            "as_before": True,
        }
        assert Path(target.ask("start")).exists()


def test_an_adapter_that_cannot_detach_does_not_keep_the_others_from_it() -> None:
    with start_target("slot_steps") as target:
        target.ask("start first second:detach")
        target.tell("stop")
        assert target.expect("error")["message"] == "second cannot detach"
        state = target.ask("state")
        assert state["notes"][-2:] == ["second detach", "first detach"]
        assert not state["running"]
        assert state["as_before"]


def test_a_directory_where_nothing_can_be_published_is_one_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with start_target("slot_steps") as target:
        target.tell(f"start_in {blocked}")
        error = target.expect("error")
        assert error["type"] == "InspectorError"
        assert str(blocked) in error["message"]
        assert "\n" not in error["message"]
        state = target.ask("state")
        assert not state["running"]
        assert state["as_before"]
        assert target.finish() == 0
        assert target.errors() == ""
