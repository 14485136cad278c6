from __future__ import annotations

from dataclasses import replace

import pytest

from inspector.model.snapshot import TargetState
from inspector.session.liveness import (
    HEARTBEAT_PATIENCE_SECS,
    INTERPRETER_PATIENCE_SECS,
    Liveness,
    Signs,
)
from inspector.wire.schema import Ending

WELL = Signs(
    at=0.0,
    has_lock=True,
    ending=Ending.NOT_YET,
    process_state="S",
    heartbeat_ticks=10,
    interpreter_ticks=10,
    interpreter_silent_secs=0.1,
    is_watched=True,
    has_interpreter=True,
)


def test_a_target_whose_numbers_move_is_live():
    liveness = Liveness()
    states = {
        liveness.judge(replace(WELL, at=t, heartbeat_ticks=t, interpreter_ticks=t)).state
        for t in range(100)
    }
    assert states == {TargetState.LIVE}


def test_an_interpreter_that_does_not_answer_is_hung_and_the_reason_says_for_how_long():
    liveness = Liveness()
    liveness.judge(WELL)
    verdict = liveness.judge(
        replace(
            WELL,
            at=INTERPRETER_PATIENCE_SECS + 0.1,
            heartbeat_ticks=99,
            interpreter_silent_secs=12.3,
        )
    )
    assert verdict.state is TargetState.HUNG
    assert verdict.reason == "the interpreter has not answered for 12 s"


def test_what_the_interpreter_does_for_us_is_part_of_the_reason():
    liveness = Liveness()
    liveness.judge(WELL)
    verdict = liveness.judge(replace(WELL, at=9.0, heartbeat_ticks=99, busy="gc"))
    assert verdict.reason == (
        "the interpreter has not answered for 9 s while it runs the gc that was asked for"
    )


def test_a_native_thread_that_does_not_move_is_hung():
    liveness = Liveness()
    liveness.judge(WELL)
    verdict = liveness.judge(replace(WELL, at=HEARTBEAT_PATIENCE_SECS + 1))
    assert verdict.state is TargetState.HUNG
    assert "native thread" in verdict.reason


@pytest.mark.parametrize(
    ("letter", "reason"), [("T", "it is stopped by a signal"), ("t", "a debugger has stopped it")]
)
def test_a_stopped_process_is_hung_at_once(letter: str, reason: str):
    verdict = Liveness().judge(replace(WELL, process_state=letter))
    assert (verdict.state, verdict.reason) == (TargetState.HUNG, reason)


def test_a_hung_target_is_live_again_when_it_moves():
    liveness = Liveness()
    liveness.judge(WELL)
    assert liveness.judge(replace(WELL, at=60.0)).state is TargetState.HUNG
    assert (
        liveness.judge(replace(WELL, at=60.1, heartbeat_ticks=11, interpreter_ticks=11)).state
        is TargetState.LIVE
    )


def test_while_nobody_is_registered_silence_means_nothing():
    liveness = Liveness()
    asleep = replace(WELL, is_watched=False)
    liveness.judge(asleep)
    assert liveness.judge(replace(asleep, at=3600.0)).state is TargetState.LIVE
    assert liveness.judge(replace(WELL, at=3600.1)).state is TargetState.LIVE


def test_a_lost_connection_does_not_make_a_hung_target_live():
    liveness = Liveness()
    liveness.judge(WELL)
    assert liveness.judge(replace(WELL, at=60.0, is_watched=False)).state is TargetState.HUNG


def test_a_target_without_an_interpreter_needs_only_its_heartbeat():
    liveness = Liveness()
    native = replace(WELL, has_interpreter=False, interpreter_ticks=0)
    liveness.judge(native)
    assert liveness.judge(replace(native, at=60.0, heartbeat_ticks=99)).state is TargetState.LIVE


@pytest.mark.parametrize(
    ("ending", "letter", "state", "reason"),
    [
        (Ending.EXITED, "", TargetState.ENDED, "the process exited"),
        (Ending.STOPPED, "S", TargetState.ENDED, "its agent was stopped"),
        (Ending.NOT_YET, "", TargetState.POST_MORTEM, "it was killed or crashed"),
        (Ending.NOT_YET, "Z", TargetState.POST_MORTEM, "it was killed or crashed"),
        (Ending.NOT_YET, "R", TargetState.POST_MORTEM, "the process runs another program now"),
    ],
)
def test_without_the_lock_it_is_over_and_the_header_says_how(
    ending: int, letter: str, state: TargetState, reason: str
):
    verdict = Liveness().judge(replace(WELL, has_lock=False, ending=ending, process_state=letter))
    assert (verdict.state, verdict.reason, verdict.is_final) == (state, reason, True)


def test_a_stopped_agent_has_ended_although_the_process_keeps_the_lock():
    assert Liveness().judge(replace(WELL, ending=Ending.STOPPED)).state is TargetState.ENDED
