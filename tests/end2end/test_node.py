"""A program of Node over a library of UniFFI's, followed at its C functions."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.command_line import command_environment, command_line, run_command
from tests.helpers.npm import NoNodeError, koffi
from tests.helpers.other_hosts import counts, installed, preloaded, shapes_library
from tests.helpers.stepped import running, step
from tests.helpers.targets import PATIENCE_SECS, ROOT

Host = subprocess.Popen[str]
PROGRAM = ROOT / "tests" / "targets" / "shapes_host.cjs"


@pytest.fixture(scope="module")
def words() -> list[str]:
    """The words after ``node``."""
    try:
        library = shapes_library()
        names = ("uniffi_shapes", "node_new", "itself", "number")
        return [str(PROGRAM), str(koffi()), str(library), *names]
    except NoNodeError as error:
        pytest.skip(str(error))


@pytest.fixture
def host(words: list[str], tmp_path: Path) -> Iterator[Host]:
    node = shutil.which("node")
    assert node is not None
    with running(Path(node), tmp_path, preloaded(), words=words) as child:
        yield child


def test_objects_that_node_made_and_freed_are_counted(host: Host) -> None:
    assert step(host, "make 20") == [20]
    assert counts(host) == [("Node", 1, 1, 0)] * 20
    for left in range(19, 14, -1):
        assert step(host, "close") == [left]
    assert step(host, "call 500") == [15]
    assert step(host, "itself") == [16]
    assert counts(host) == [("Node", 1, 1, 0)] * 14 + [("Node", 2, 2, 0)] * 2


def test_objects_of_worker_threads_are_counted_with_their_thread(host: Host) -> None:
    assert step(host, "make 1") == [1]
    assert step(host, "worker 2") == [3]
    assert counts(host) == [("Node", 1, 1, 0)] * 3
    threads = run_command("threads", host.pid, "--json").json["threads"]
    created = {thread["tid"]: thread["created"] for thread in threads if thread["created"]}
    assert created.pop(host.pid) == 1
    assert sum(created.values()) == 2


def test_findings_a_picture_and_detaching_work_on_node(host: Host, tmp_path: Path) -> None:
    assert step(host, "make 3") == [3]
    assert run_command("findings", host.pid).status == 0
    picture = tmp_path / "node.png"
    done = run_command("shot", host.pid, "-o", str(picture), env={"QT_QPA_PLATFORM": "offscreen"})
    assert done.status == 0, done
    gone = run_command("detach", host.pid, "--force")
    assert gone.status == 0, gone
    assert step(host, "make 2") == [5]
    assert step(host, "close") == [4]


@pytest.mark.parametrize("package", ["bdkpython==2.2.0", "bdkpython"])
@pytest.mark.parametrize(
    ("constructor", "method", "type_name"),
    [
        ("amount_from_sat", "to_sat", "Amount"),
        ("feerate_from_sat_per_kwu", "to_sat_per_kwu", "FeeRate"),
    ],
)
def test_classes_of_a_published_library_that_share_functions_are_told_apart(
    words: list[str], tmp_path: Path, package: str, constructor: str, method: str, type_name: str
) -> None:
    node, folder = shutil.which("node"), installed(package)
    assert node is not None
    (library,) = folder.rglob("libbdkffi.so")
    names = ["bdkffi", constructor, "", method]
    given = [*words[:2], str(library), *names]
    with running(Path(node), tmp_path, preloaded(), words=given) as child:
        assert step(child, "make 3") == [3]
        assert step(child, "call 9") == [3]
        assert counts(child) == [(type_name, 1, 1, 0)] * 3
        assert step(child, "close") == [2]
        assert counts(child) == [(type_name, 1, 1, 0)] * 2


@pytest.mark.parametrize(
    ("package", "bits", "crate"),
    [
        ("glean-sdk==54.0.0", "32", "glean"),
        ("glean-sdk==57.0.0", "32", "glean_core"),
        ("glean-sdk==60.0.0", "64", "glean_core"),
    ],
)
def test_a_library_that_describes_nothing_shows_the_objects_of_its_constructors(
    words: list[str], tmp_path: Path, package: str, bits: str, crate: str
) -> None:
    node = shutil.which("node")
    assert node is not None
    (library,) = installed(package).rglob("libglean_ffi.so")
    given = [str(PROGRAM.with_name("glean_host.cjs")), words[1], str(library), bits, crate]
    with running(Path(node), tmp_path, preloaded(), words=given) as child:
        assert step(child, "make 3") == [3]
        assert counts(child) == [("countermetric", 1, 1, 0)] * 3
        assert step(child, "close") == [2]
        assert counts(child) == [("countermetric", 1, 1, 0)] * 2


def test_run_follows_node_from_its_first_object_on(words: list[str]) -> None:
    done = subprocess.run(
        command_line("run", "--headless", "--", "node", *words),
        input="make 4\nclose\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        env=command_environment(),
    )
    assert (done.returncode, done.stdout) == (0, "ready\n4\n3\n"), done.stderr
    assert "0 handles alive at the end" in done.stderr
