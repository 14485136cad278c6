"""A Java virtual machine with objects of a real UniFFI package, attached over its own mechanism."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from inspector.errors import AttachError
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Reference, Resource, kind_named
from tests.helpers.command_line import run_command
from tests.helpers.java import machines, wallets
from tests.helpers.maven import NoJavaError, class_path, compiled
from tests.helpers.targets import PATIENCE_SECS, Target
from tests.helpers.watching import Watch, counts, watched

MACHINES = machines()
ALONE = (1, 0, 1, 0)
"""Strong, weak, proxies and native references of an object that its proxy alone holds."""

pytestmark = pytest.mark.skipif(not MACHINES, reason="no Java virtual machine: install a JDK")


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> str:
    try:
        packages = class_path()
    except NoJavaError as error:
        pytest.skip(str(error))
    return compiled("Wallets", packages, tmp_path_factory.mktemp("classes"))


@pytest.fixture(params=sorted(MACHINES) or ["none"])
def java(request: pytest.FixtureRequest) -> Path:
    return MACHINES[request.param]


@contextmanager
def attached(target: Target) -> Iterator[Watch]:
    """A session on the agent that was brought in."""
    found = bring_agent(target.pid, Method.JAVA).found
    assert found.segment is not None
    with watched(found.segment) as watch:
        yield watch


@pytest.fixture
def silent_server() -> Iterator[tuple[int, Callable[[], None]]]:
    """A port whose connections get no answer, and a function that ends them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_ones: list[socket.socket] = []
        is_over = threading.Event()

        def accept() -> None:
            while not is_over.is_set():
                connection, _ = server.accept()
                open_ones.append(connection)
                if is_over.is_set():
                    connection.close()

        def end() -> None:
            is_over.set()
            server.shutdown(socket.SHUT_RDWR)
            for connection in open_ones:
                connection.close()

        def accept_until_the_end() -> None:
            try:
                accept()
            except OSError:
                return  # the server was shut down

        thread = threading.Thread(target=accept_until_the_end)
        thread.start()
        yield server.getsockname()[1], end
        if not is_over.is_set():
            end()
        thread.join()


def ended(snapshot: Snapshot) -> list[str]:
    """How the objects of the type ended, by the totals of their type."""
    (row,) = (row for row in snapshot.types.values() if row.name == "Mnemonic")
    return [f"{row.closed} closed", f"{row.never_closed} never closed"]


def resources(snapshot: Snapshot) -> list[str]:
    """The state of each live object that closes."""
    handles = snapshot.handles
    return sorted(
        Resource(int(handles.resources[row])).name
        for row in range(len(handles))
        if handles.references[row] == Reference.LIVE and not snapshot.kind_of(row).is_call
    )


def test_objects_of_before_and_after_have_true_counts_and_end_as_they_end(
    java: Path, classes: str
) -> None:
    with wallets(java, classes) as target:
        target.ask("make old 5")
        with attached(target) as watch:
            watch.until(counts("Mnemonic"), [ALONE] * 5)
            target.ask("make new 4")
            target.ask("derive own 2")
            watch.until(counts("Mnemonic"), [ALONE] * 11)
            target.ask("destroy old 3")
            watch.until(counts("Mnemonic"), [ALONE] * 8)
            target.ask("drop new 4")
            report = watch.session.force_gc().result(PATIENCE_SECS)
            assert report.collected is None
            watch.until(counts("Mnemonic"), [ALONE] * 4)
            watch.until(ended, ["3 closed", "4 never closed"])
        assert target.finish() == 0


def test_a_destroyed_object_waits_for_the_call_in_flight(
    java: Path, classes: str, silent_server: tuple[int, Callable[[], None]]
) -> None:
    port, answer = silent_server
    with wallets(java, classes) as target, attached(target) as watch:
        target.ask(f"connect {port}")
        watch.until(resources, ["OPEN"])
        target.ask("ping")
        seen = watch.until(calls, ["ElectrumClient.ping"])
        watch.until(counts("ElectrumClient"), [ALONE])
        target.ask("leave")
        watch.until(resources, ["DRAINING"])
        assert seen.target.runtime.startswith("OpenJDK")
        pending = run_command("pending", target.pid)
        assert "ElectrumClient" in pending.out
        assert "Waits for a call in flight" in pending.out
        answer()
        watch.until(resources, [])
        assert target.finish() == 0


def calls(snapshot: Snapshot) -> list[str]:
    """Names of the calls that run."""
    handles = snapshot.handles
    return sorted(
        snapshot.types[int(handles.types[row])].name
        for row in range(len(handles))
        if handles.references[row] == Reference.LIVE
        and kind_named(snapshot.types[int(handles.types[row])].kind).runs_on_thread
    )


def test_a_viewer_destroys_an_object_as_the_program_would(java: Path, classes: str) -> None:
    with wallets(java, classes) as target:
        target.ask("make a 2")
        with attached(target) as watch:
            seen = watch.until(counts("Mnemonic"), [ALONE] * 2)
            row = int(seen.handles.ids[0])
            (would,) = watch.session.preview_close([row]).result(PATIENCE_SECS)
            assert would.outcome == "would_close"
            (done,) = watch.session.close_handles([row]).result(PATIENCE_SECS)
            assert done.outcome == "closed"
            watch.until(counts("Mnemonic"), [ALONE])
            (again,) = watch.session.close_handles([row]).result(PATIENCE_SECS)
            assert again.outcome == "refused"
        assert target.finish() == 0


def test_the_agent_goes_and_comes_back_and_the_program_runs_on(java: Path, classes: str) -> None:
    with wallets(java, classes) as target:
        target.ask("make a 3")
        for _ in range(3):
            found = bring_agent(target.pid, Method.JAVA).found
            assert found.segment is not None
            with watched(found.segment) as watch:
                watch.until(counts("Mnemonic"), [ALONE] * 3)
            assert run_command("detach", target.pid).status == 0
            assert not found.segment.exists()
            target.ask("collect")
        assert target.finish() == 0


@pytest.mark.soak
def test_a_busy_machine_survives_a_hundred_agents(java: Path, classes: str) -> None:
    with wallets(java, classes) as target:
        target.ask("make kept 50")
        for number in range(100):
            target.tell("make busy 200")
            found = bring_agent(target.pid, Method.JAVA).found
            target.expect("make")
            assert found.segment is not None
            target.tell("drop busy 200")
            assert run_command("detach", target.pid).status == 0, number
            target.expect("drop")
        with attached(target) as watch:
            watch.until(lambda snapshot: len(counts("Mnemonic")(snapshot)) >= 50, True)
            watch.session.force_gc().result(PATIENCE_SECS)
            watch.until(counts("Mnemonic"), [ALONE] * 50)
        assert target.finish() == 0


def test_consent_is_asked_for_and_the_way_is_named(classes: str) -> None:
    java = next(iter(MACHINES.values()))
    with wallets(java, classes) as target:
        doctor = run_command("doctor", target.pid)
        assert "Java virtual machine's own way" in doctor.out
        refused = run_command("attach", target.pid, "--headless")
        assert refused.status == 3
        assert "needs your consent" in refused.err
        assert target.finish() == 0


def test_a_machine_that_takes_no_agent_is_left_alone_and_says_why(classes: str) -> None:
    java = next(iter(MACHINES.values()))
    with wallets(java, classes, "-XX:+DisableAttachMechanism") as target:
        with pytest.raises(AttachError, match="DisableAttachMechanism"):
            bring_agent(target.pid, Method.JAVA)
        assert "DisableAttachMechanism" in run_command("doctor", target.pid).out
        assert target.finish() == 0


def test_a_machine_with_fewer_signals_has_its_socket_from_the_start(classes: str) -> None:
    java = next(iter(MACHINES.values()))
    with wallets(java, classes, "-Xrs") as target:
        target.ask("make a 2")
        with attached(target) as watch:
            watch.until(counts("Mnemonic"), [ALONE] * 2)
        assert target.finish() == 0
