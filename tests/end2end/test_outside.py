"""Looking at a process from outside, where nothing may be loaded.

True counts, and a target that notices nothing.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.outside.look import look
from inspector.attach.outside.memory import OutsideError
from inspector.attach.outside.seen import UNKNOWN, Look
from inspector.model.findings.finding import Facts, Verdict
from inspector.model.findings.negative import NegativeReferences
from inspector.model.findings.trend import Trend
from inspector.session.outside_rows import OutsideRows
from tests.end2end.test_outside_commands import PROCESS_GONE
from tests.helpers.calls import flying, running
from tests.helpers.command_line import run_command
from tests.helpers.outside import counts, handles_of, number_of, rows, seen, stepped
from tests.helpers.snapshots import make_target
from tests.helpers.targets import PATIENCE_SECS, Target, start_target
from tests.helpers.unprepared import interpreter

MINORS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
LOOKS = 15


@pytest.fixture(params=MINORS)
def any_target(request: pytest.FixtureRequest) -> Iterator[Target]:
    python = interpreter(request.param)
    if python is None:
        pytest.skip(
            f"no CPython {request.param} is to be had: not in pyenv, on PATH, or in "
            "ARC_INSPECTOR_PYTHON_*"
        )
    with stepped(python) as target:
        yield target


@pytest.fixture
def target() -> Iterator[Target]:
    with stepped(sys.executable) as running:
        yield running


def test_every_version_s_objects_are_found_with_their_counts(any_target: Target) -> None:
    any_target.ask("pass_by 3000")
    any_target.ask("make 5")
    any_target.ask("derive 2")
    any_target.ask("hold 3")
    found = seen(any_target)
    assert number_of(found) == {"Mnemonic": 7, "Persister": 3, "Persist": 3}
    assert counts(found, "Mnemonic") == {(1, 0): 7}
    assert counts(found, "Persist") == {(UNKNOWN, UNKNOWN): 3}
    assert (found.doubtful, found.without_handle) == (frozenset(), 0)
    assert handles_of(found, "Mnemonic") | handles_of(found, "Persister") == set(
        any_target.ask("handles")
    )
    any_target.ask("drop 5")
    assert number_of(seen(any_target)) == {"Mnemonic": 5}


def test_attributes_are_found_wherever_a_version_keeps_them(any_target: Target) -> None:
    any_target.ask("make 3")
    any_target.ask("widen 3")
    any_target.ask("look_into")
    any_target.ask("make 2")
    assert counts(seen(any_target), "Mnemonic") == {(1, 0): 8}


def test_a_class_whose_finaliser_the_program_wrapped_is_recognised(any_target: Target) -> None:
    any_target.ask("wrap openly")
    any_target.ask("wrap openly")
    any_target.ask("make 3")
    assert counts(seen(any_target), "Mnemonic") == {(1, 0): 3}


def test_a_class_that_cannot_be_recognised_is_not_passed_over_in_silence(target: Target) -> None:
    target.ask("wrap silently")
    target.ask("make 3")
    assert (
        run_command("handles", target.pid, "--read-only").out.count(
            "1 classes are built like UniFFI's, and something hides"
        )
        == 1
    )


@pytest.mark.parametrize("made", ["early", "late"])
def test_the_handles_beside_an_agent_are_found(made: str) -> None:
    """An agent hooks the generated classes; a look from outside sees only that."""
    with start_target("bdk_steps", "early" if made == "early" else "plain") as target:
        if made == "late":
            target.ask("amount a 1")
            target.ask("amount b 2")
        found = seen(target)
        assert number_of(found) == {"Amount": 2}
        assert counts(found, "Amount") == {(1, 0): 2}


def test_calls_that_do_not_return_are_in_flight_and_name_their_line(any_target: Target) -> None:
    any_target.ask("wallet")
    line = any_target.ask("save saver-0")
    any_target.ask("save saver-1")
    found = OutsideRows().snapshot(look(any_target.pid), target=make_target(), at=1.0)
    assert (flying(found, "Wallet"), flying(found, "Persister")) == ([(1, 1, 0, 2)], [(1, 1, 0, 2)])
    place = f"outside_steps.py:{line} save_on"
    assert running(found) == [("Wallet.persist", name, place) for name in ("saver-0", "saver-1")]
    any_target.ask("let_go")
    found = OutsideRows().snapshot(look(any_target.pid), target=make_target(), at=1.0)
    assert (flying(found, "Wallet"), running(found)) == ([(1, 1, 0, 0)], [])


def test_handles_that_only_an_agent_knows_are_not_denied() -> None:
    """The runtime's own handles and declared classes are not searched for from outside."""
    with start_target("todo") as target:
        target.ask("item a milk")
        printed = run_command("handles", target.pid, "--read-only")
    assert printed.status == 0, printed.err
    assert "No handles." not in printed.out
    assert "other handles are not listed from outside" in printed.out
    assert re.search(
        r"Note: .*an agent in the process lists [1-9]\d* handles, found from outside 0", printed.out
    ), printed.out


def test_a_pending_call_is_a_row_beside_the_object_that_it_keeps(any_target: Target) -> None:
    line = any_target.ask("await_call")
    found = seen(any_target)
    (builder,) = rows(found, "EventBuilder")
    assert (
        int(found.rows.strong[builder]),
        number_of(found)["Signer"],
        number_of(found)["Signer.get_public_key_async"],
    ) == (2, 1, 1)
    (signer,), (awaited,) = rows(found, "Signer"), rows(found, "Signer.get_public_key_async")
    assert found.rows.addresses[awaited] == found.rows.addresses[signer]
    (stack,) = found.standing.values()
    assert [(Path(each.file).name, each.line, each.function) for each in stack] == [
        ("outside_steps.py", line, "await_call.<locals>.get_public_key_async")
    ]
    calls = rows(found, "EventBuilder.finalize_async")
    if "pending calls" in "".join(found.notes):
        assert found.runtime in ("CPython 3.8", "CPython 3.9", "CPython 3.10")
        assert calls == []
    else:
        assert [int(found.rows.addresses[row]) for row in calls] == [
            int(found.rows.addresses[builder])
        ]
        assert int(found.rows.handles[calls[0]]) != 0


def test_shared_leaked_and_duplicated_handles_show_in_the_counts(target: Target) -> None:
    target.ask("make 1")
    target.ask("share")
    assert counts(seen(target), "Mnemonic") == {(2, 0): 2}
    target.ask("leak 10")
    found = seen(target)
    assert counts(found, "Mnemonic") == {(12, 0): 2}
    assert len({int(found.rows.addresses[row]) for row in rows(found, "Mnemonic")}) == 1
    target.ask("duplicate")
    assert counts(seen(target), "Mnemonic") == {(12, 0): 3}
    target.ask("disarm")
    found = seen(target)
    assert (counts(found, "Mnemonic"), found.without_handle) == ({(12, 0): 2}, 1)


def test_what_is_kept_is_found_and_nothing_else_while_threads_make_and_drop_objects(
    target: Target,
) -> None:
    target.ask("make 40")
    kept = set(target.ask("handles"))
    target.ask("churn 4")
    for _ in range(LOOKS // 2):
        found = seen(target)
        assert handles_of(found, "Mnemonic") == kept
        assert counts(found, "Mnemonic") == {(1, 0): 40}
        assert set(number_of(found)) <= {"Mnemonic", "Amount"}
        assert number_of(found).get("Amount", 0) <= 8, "remains were taken for objects"
    assert target.ask("quiet") > 0


def test_a_reference_that_a_running_finaliser_has_released_is_not_called_missing(
    target: Target,
) -> None:
    target.ask("make 1")
    target.ask("share")
    target.ask("release_and_wait")
    found = OutsideRows().snapshot(look(target.pid), target=make_target(), at=1.0)
    (finding,) = NegativeReferences().check(Facts(found, Trend()))
    assert finding.verdict is not Verdict.SUSPECT, finding
    assert [name for name, _, _ in running(found)] == ["Mnemonic.__del__"]
    target.ask("let_go")
    assert counts(seen(target), "Mnemonic") == {(1, 0): 1}


def test_the_resting_count_is_told_from_calls_in_flight(target: Target) -> None:
    target.ask("make 1")
    target.ask("calls 8")
    strong = [
        int(found.rows.strong[rows(found, "Mnemonic")[0]])
        for found in (seen(target) for _ in range(LOOKS))
    ]
    ((usual, _),) = Counter(strong).most_common(1)
    assert usual == 1, strong  # the count of one glance is that of the calls of a moment
    target.ask("quiet")


def state_of(pid: int) -> dict[str, object]:
    """The parts of a process that a look could change."""
    status = procfs.status(pid)
    maps = [
        (each.low, each.high, each.flags)
        for each in procfs.mappings(pid) or ()
        if each.path != "[heap]"
    ]
    return {
        "memory": int(status["RssAnon"].split()[0]) // 256,
        "maps": maps,
        "threads": procfs.tasks(pid),
        "descriptors": sorted(path.name for path in Path(f"/proc/{pid}/fd").iterdir()),
    }


def test_the_target_is_left_as_it_was(target: Target) -> None:
    target.ask("make 500")
    seen(target)
    before = state_of(target.pid)
    tracers = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            tracers.add(procfs.status(target.pid)["TracerPid"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(5):
        look(target.pid)
    stop.set()
    watcher.join()
    assert state_of(target.pid) == before
    assert tracers == {"0"}


def test_a_stopped_process_and_one_whose_lock_is_held_are_looked_at_all_the_same(
    target: Target,
) -> None:
    target.ask("make 3")
    target.send_signal(signal.SIGSTOP)
    assert counts(seen(target), "Mnemonic") == {(1, 0): 3}
    target.send_signal(signal.SIGCONT)
    target.ask("calls 1")
    target.tell("hold_the_lock")
    target.expect("hold_the_lock")
    holder = (target.pid, "MainThread", "hold_the_lock")
    worker = ["run", "_bootstrap_inner", "_bootstrap"]
    found, until = look(target.pid), time.monotonic() + PATIENCE_SECS
    while stacks_in(found) != ([holder], [worker]) and time.monotonic() < until:
        found = look(target.pid)
    assert stacks_in(found) == ([holder], [worker])
    assert counts(found, "Mnemonic").total() == 3


def stacks_in(found: Look) -> tuple[list[tuple[int, str, str]], list[list[str]]]:
    """The threads that hold the lock, each with its innermost function, and the workers' outermost
    functions."""
    holders = [thread for thread in found.threads if thread.holds_gil and thread.stack]
    return [(each.tid, each.name, each.stack[0].function) for each in holders], [
        [frame.function for frame in each.stack][-3:]
        for each in found.threads
        if each.name.startswith("worker-")
    ]


def test_threads_that_run_all_the_time_have_stacks_too(target: Target) -> None:
    target.ask("make 1")
    target.ask("calls 2")
    seen_threads = [
        thread
        for _ in range(10)
        for thread in look(target.pid, with_objects=False).threads
        if thread.tid != target.pid
    ]
    with_stack = [thread for thread in seen_threads if thread.stack]
    assert len(seen_threads) == 20
    assert len(with_stack) >= 16, [thread.waits for thread in seen_threads if not thread.stack]
    assert [thread.stack[-1].function for thread in with_stack].count("_bootstrap") >= 14, (
        "stacks were read while they changed"
    )
    target.ask("quiet")


def test_a_process_that_dies_during_the_look_ends_it_with_one_line(target: Target) -> None:
    target.ask("make 1")
    looks = 0

    def kill_it_later() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            target.process.kill()
            target.process.wait()

    with pytest.raises(OutsideError, match=f"^process {target.pid} has ended$"):
        look(target.pid, with_stacks=False, go_on=kill_it_later)
    with pytest.raises(OutsideError, match="does not exist"):
        look(PROCESS_GONE)


def test_a_look_can_be_given_up(target: Target) -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(target.pid, with_stacks=False, go_on=give_up)


def test_a_program_without_python_shows_its_threads_and_says_why_no_more() -> None:
    process = subprocess.Popen(["/bin/sleep", "100"])
    try:
        found = look(process.pid)
        assert (len(found.rows), [thread.tid for thread in found.threads]) == (0, [process.pid])
        assert any("runs no CPython that can be found" in note for note in found.notes)
    finally:
        process.kill()
        process.wait()
