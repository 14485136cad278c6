"""A JVM program over an unmodified Kotlin package of UniFFI's, followed at its C functions."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.session.session_file import SessionFile
from tests.helpers.command_line import command_environment, command_line, run_command
from tests.helpers.maven import NoJavaError, class_path, compiled
from tests.helpers.other_hosts import counts, preloaded, rows
from tests.helpers.stepped import running, step
from tests.helpers.targets import PATIENCE_SECS

Host = subprocess.Popen[str]


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> str:
    try:
        packages = class_path()
    except NoJavaError as error:
        pytest.skip(str(error))
    return compiled("BdkHost", packages, tmp_path_factory.mktemp("classes"))


@pytest.fixture
def host(classes: str, tmp_path: Path) -> Iterator[Host]:
    java = shutil.which("java")
    assert java is not None
    with running(Path(java), tmp_path, preloaded(), words=["-cp", classes, "BdkHost"]) as child:
        yield child


def test_objects_that_a_jvm_made_and_closed_are_counted(host: Host) -> None:
    assert step(host, "make 10") == [10]
    assert counts(host) == [("Mnemonic", 1, 1, 0)] * 10
    for left in range(9, 3, -1):
        assert step(host, "close") == [left]
    assert step(host, "call 200") == [4]
    assert counts(host) == [("Mnemonic", 1, 1, 0)] * 4


def test_objects_of_methods_and_of_other_threads_are_rows(host: Host) -> None:
    assert step(host, "script") == [2]
    assert step(host, "thread 3") == [5]
    assert counts(host) == [("Address", 1, 1, 0)] + [("Mnemonic", 1, 1, 0)] * 3 + [
        ("Script", 1, 1, 0)
    ]
    made = {row["type"]: row["created_thread"] for row in rows(host)}
    assert made["Mnemonic"] == "maker"
    assert made["Address"] == made["Script"] != "maker"


def test_findings_recordings_and_detaching_work_on_a_jvm(host: Host, tmp_path: Path) -> None:
    assert step(host, "make 3") == [3]
    assert run_command("findings", host.pid).status == 0
    recording = tmp_path / "jvm.arcs"
    done = run_command("record", host.pid, "-o", str(recording), "--for", "1s")
    assert done.status == 0, done
    with SessionFile(recording) as session:
        seen = session.snapshot(len(session.moments) - 1)
    assert [seen.types[int(each)].name for each in seen.handles.types] == ["Mnemonic"] * 3
    gone = run_command("detach", host.pid, "--force")
    assert gone.status == 0, gone
    assert step(host, "make 2") == [5]
    assert step(host, "close") == [4]


def test_a_forced_collection_releases_what_the_program_lost(host: Host) -> None:
    assert step(host, "make 2") == [2]
    assert step(host, "lose 5") == [2]
    done = run_command("gc", host.pid, "--json")
    assert done.status == 0, done
    assert done.json["collected"] is None, "the machine does not say"
    assert counts(host) == [("Mnemonic", 1, 1, 0)] * 2
    assert run_command("gc", host.pid).out.startswith("released 0 handles, ")


def test_run_follows_a_jvm_from_its_first_object_on(classes: str) -> None:
    done = subprocess.run(
        command_line("run", "--headless", "--", "java", "-cp", classes, "BdkHost"),
        input="make 4\nclose\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        env=command_environment(),
    )
    assert (done.returncode, done.stdout) == (0, "ready\n4\n3\n"), done.stderr
    assert "0 handles alive at the end" in done.stderr
