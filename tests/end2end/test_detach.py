"""Taking the agent out of a process that it was brought into.

By command, by the window's end, by itself; and putting it in again.
"""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from inspector.attach import procfs
from inspector.attach.diagnosis import Method
from inspector.attach.discovery import find_published
from inspector.attach.inject import bring_agent
from inspector.commands.app import run
from inspector.commands.support.opening import Watch, session_with
from inspector.commands.support.output import SCHEMA
from inspector.session import leaving
from inspector.session.live import LiveSession
from inspector.vocabulary import Level
from tests.helpers.command_line import run_command
from tests.helpers.tables import read_table
from tests.helpers.targets import PATIENCE_SECS, Target, start_target
from tests.helpers.traces import Traces, published, traces_of
from tests.helpers.unprepared import detach, own_threads, unprepared


@pytest.fixture
def target() -> Iterator[Target]:
    """An unprepared process that has had a second thread."""
    with unprepared("sleep") as made:
        yield made


def lasting(traces: Traces) -> Traces:
    """The traces that must be as before; of the memory, loaded code stays."""
    return dataclasses.replace(traces, mappings=0, writable_bytes=0, resident_bytes=0)


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when it holds; the time only guards against hanging."""
    until = time.monotonic() + PATIENCE_SECS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def session_on(pid: int, *, brought: bool = False) -> LiveSession:
    """A viewer of ours that is attached."""
    found = find_published(pid)
    assert found is not None
    session = session_with(found, level=Level.HISTORY, brought=brought)
    assert isinstance(session, LiveSession)
    Watch(session).wait(lambda _: session.capabilities.act, PATIENCE_SECS)
    return session


def segment_of(pid: int) -> str:
    found = find_published(pid)
    assert found is not None
    return str(found.segment)


def end(session: LiveSession) -> None:
    session.end()
    session.join()


def test_the_command_takes_out_threads_descriptors_files_and_executable_memory(
    target: Target,
) -> None:
    before = traces_of(target.pid)
    bring_agent(target.pid, Method.INJECT)
    assert traces_of(target.pid).threads > before.threads
    assert published(target.pid) != []
    done = run_command("detach", target.pid)
    assert (done.status, done.out) == (0, f"The agent has left unprepared.py ({target.pid})\n")
    assert lasting(traces_of(target.pid)) == lasting(before)
    assert published(target.pid) == []


def test_threads_that_came_with_the_agent_are_named_as_its_own(target: Target) -> None:
    before = procfs.tasks(target.pid)
    bring_agent(target.pid, Method.INJECT)
    threads = read_table(segment_of(target.pid)).threads
    came = {tid: name for tid, name in threads.items() if tid not in before}
    assert came
    assert {name.partition("-")[0] for name in came.values()} == {"ai"}


def test_json_says_what_became_of_it(target: Target) -> None:
    bring_agent(target.pid, Method.INJECT)
    done = run_command("detach", target.pid, "--json")
    assert done.json == {
        "schema": SCHEMA,
        "pid": target.pid,
        "detached": True,
        "reason": None,
        "failures": [],
        "remains": [],
    }


def test_attaching_and_detaching_again_and_again_leaves_no_more_than_the_first_time(
    target: Target,
) -> None:
    def again(times: int) -> Traces:
        for _ in range(times):
            bring_agent(target.pid, Method.INJECT)
            detach(target.pid)
        return traces_of(target.pid)

    first = again(2)
    later = again(6)
    assert lasting(later) == lasting(first)
    assert later.mappings <= first.mappings + 8
    assert later.writable_bytes <= first.writable_bytes + (16 << 20)


def test_where_there_is_no_agent_it_says_so(target: Target) -> None:
    run_command("detach", target.pid).assert_one_line_error(
        1, ("there is no agent to take out"), f"process {target.pid}"
    )
    run_command("detach", 2**22 - 1).assert_one_line_error(3, "does not exist")


def test_an_agent_that_the_program_started_stays_unless_forced_and_its_objects_go_on_working() -> (
    None
):
    with start_target("agent_steps") as own:
        own.ask("start")
        run_command("detach", own.pid).assert_one_line_error(
            1, ("the program started its agent itself"), "--force"
        )
        assert own_threads(own.pid) != []
        assert run_command("detach", own.pid, "--force").status == 0
        assert own_threads(own.pid) == []
        assert own.finish() == 0


def test_an_interpreter_that_does_not_come_by_is_told_and_nothing_is_taken_out(
    target: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_agent(target.pid, Method.INJECT)
    threads = own_threads(target.pid)
    target.stop()
    monkeypatch.setattr(leaving, "ANSWER_SECS", 0.2)
    assert run(["detach", str(target.pid)]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "did not answer" in said
    assert "nothing was taken out" in said
    target.send_signal(signal.SIGCONT)
    assert set(own_threads(target.pid)) >= set(threads)


def test_the_first_of_two_viewers_leaves_the_agent_to_the_other_and_the_last_takes_it_along(
    target: Target,
) -> None:
    bring_agent(target.pid, Method.INJECT)
    ours = session_on(target.pid, brought=True)
    assert ours.capabilities.brought
    with start_target("viewing", segment_of(target.pid), "COUNT") as other:
        assert ours.remove_agent().result(PATIENCE_SECS) == "another viewer is attached"
        assert own_threads(target.pid) != []
        other.kill()
    wait_for(lambda: ours.remove_agent().result(PATIENCE_SECS) == "")
    end(ours)
    assert own_threads(target.pid) == []


def test_an_agent_that_nobody_uses_leaves_by_itself(target: Target) -> None:
    before = traces_of(target.pid)
    bring_agent(target.pid, Method.INJECT, leaves_after_secs=0.3)
    wait_for(lambda: not own_threads(target.pid) and not published(target.pid))
    wait_for(lambda: lasting(traces_of(target.pid)) == lasting(before))


def test_headless_says_how_long_the_agent_stays_and_keep_lets_it_stay(target: Target) -> None:
    done = run_command("attach", target.pid, "--inject", "--headless", "--json")
    assert done.json["leaves_after_secs"] == 300
    detach(target.pid)
    kept = run_command("attach", target.pid, "--inject", "--headless", "--keep", "--json")
    assert kept.json["leaves_after_secs"] is None


def test_the_modules_of_an_agent_that_left_are_not_the_programs_to_find(target: Target) -> None:
    bring_agent(target.pid, Method.INJECT)
    detach(target.pid)
    assert target.process.stdin is not None
    target.process.stdin.close()
    done = target.expect("done")
    target.process.stdin = None
    assert (done["inspector"], done["finders"], done["names"]) == (0, 3, [])
