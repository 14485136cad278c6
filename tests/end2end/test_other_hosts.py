"""A host without an interpreter calls a library of UniFFI's: each handle that it has is a row."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.vocabulary import Level
from tests.helpers.command_line import command_environment, command_line, run_command
from tests.helpers.generations import CLONING
from tests.helpers.other_hosts import (
    counts,
    described,
    installed,
    preloaded,
    rows,
    shapes_host,
    shapes_library,
)
from tests.helpers.stepped import running, step
from tests.helpers.targets import PATIENCE_SECS

Host = subprocess.Popen[str]


@pytest.fixture(scope="module")
def library() -> Path:
    return shapes_library()


@pytest.fixture
def host(library: Path, tmp_path: Path) -> Iterator[Host]:
    program = shapes_host(tmp_path)
    with running(program, tmp_path, preloaded(), words=[library]) as child:
        yield child


def steps(child: Host, *words: str) -> int:
    """Does all steps; the handles that the host has then."""
    return [step(child, each)[-1] for each in words][-1]


def test_constructors_and_functions_give_handles_and_a_release_takes_them(host: Host) -> None:
    assert steps(host, "node 1", "function 2", "even 4", "even 5") == 3
    assert counts(host) == [("Node", 1, 1, 0)] * 3, "the constructor that failed gave none"
    assert steps(host, "drop", "drop") == 1
    assert counts(host) == [("Node", 1, 1, 0)]


def test_a_method_that_gives_the_same_object_makes_a_row_of_its_own(host: Host) -> None:
    assert steps(host, "node 1", "itself", "itself") == 3
    assert counts(host) == [("Node", 3, 3, 0)] * 3
    assert steps(host, "drop") == 2
    assert counts(host) == [("Node", 2, 2, 0)] * 2


def test_objects_in_sequences_options_records_and_maps_are_rows(host: Host) -> None:
    assert steps(host, "node 1", "node 2", "adopt") == 3
    assert counts(host) == [("Node", 2, 1, 1)] + [("Node", 2, 2, 0)] * 2
    assert steps(host, "children") == 4
    assert counts(host) == [("Node", 2, 2, 0)] * 2 + [("Node", 3, 2, 1)] * 2
    assert steps(host, "drop", "pair", "drop", "drop", "first", "drop", "named") == 4
    assert counts(host) == [("Node", 2, 2, 0)] * 2 + [("Node", 3, 2, 1)] * 2


def test_a_future_is_a_row_until_it_is_freed_and_gives_a_handle(host: Host) -> None:
    assert steps(host, "node 1", "grow 2") == 1
    waiting = [row for row in rows(host) if row["kind"] == "uniffi_call"]
    assert [row["type"] for row in waiting] == ["Node.grow"]
    (node,) = (row for row in rows(host) if row["kind"] == "uniffi")
    assert waiting[0]["address"] == node["address"]
    assert steps(host, "complete") == 2
    assert counts(host) == [("Node", 1, 1, 0), ("Node", 2, 1, 1)]


def test_functions_that_the_linker_folded_are_told_apart_by_name(host: Host) -> None:
    assert steps(host, "metre 1", "second 2", "second 3") == 3
    assert Counter(row["type"] for row in rows(host)) == {"Metre": 1, "Second": 2}
    assert steps(host, "drop", "drop") == 1
    assert counts(host) == [("Metre", 1, 1, 0)]


def test_counts_are_found_before_wide_data_and_behind_traits(host: Host) -> None:
    assert steps(host, "wide 1", "square") == 2
    assert counts(host) == [("Shape", 1, 1, 0), ("Wide", 1, 1, 0)]
    assert {row["kind"] for row in rows(host)} == {"uniffi", "uniffi_trait"}
    assert steps(host, "drop", "drop", "node 1") == 1


def test_a_leaked_clone_is_a_native_reference(host: Host) -> None:
    assert steps(host, "node 1", "leak", "leak") == 1
    assert counts(host) == [("Node", 3, 1, 2)]


def test_threads_and_native_stacks_say_where_a_handle_came_from(host: Host, tmp_path: Path) -> None:
    assert steps(host, "node 1", "thread 2") == 2
    assert sorted(row["created_thread"] for row in rows(host)) == ["maker", "shapes"]
    births = tmp_path / "births"
    words = ("--format", "collapsed", "--with-paths", "-o", str(births))
    assert run_command("export", host.pid, *words).status == 0
    text = births.read_text(encoding="utf-8")
    assert "elsewhere" in text
    assert "make" in text
    assert "ai_abi" not in text, "frames of ours are left out"


def test_eight_threads_that_make_and_release_leave_no_row(host: Host) -> None:
    assert step(host, "node 1") == [1]
    assert step(host, "storm 2000") == [1]
    assert counts(host) == [("Node", 1, 1, 0)]
    threads = run_command("threads", host.pid, "--json").json["threads"]
    assert sum(thread["created"] for thread in threads) == 1 + 8 * 2 * 2000
    assert sum(thread["released"] for thread in threads) == 8 * 2 * 2000


def test_calls_keep_results_stacks_and_the_number_of_the_last_error(host: Host) -> None:
    assert step(host, "node 3") == [1]
    assert step(host, "call 1000") == [3000, 1]
    assert counts(host) == [("Node", 1, 1, 0)]


def test_acts_that_need_a_runtime_are_refused_with_the_reason(host: Host) -> None:
    assert step(host, "node 1") == [1]
    refused = run_command("gc", host.pid)
    assert refused.status != 0
    assert "this agent has no part within an interpreter" in refused.err


def test_doctor_says_that_the_agent_runs_and_names_no_library_of_the_tool(host: Host) -> None:
    assert step(host, "node 1") == [1]
    said = run_command("doctor", host.pid)
    assert said.status == 0
    assert "its agent runs" in said.out
    assert "_preload" not in said.out


def test_after_detaching_the_program_calls_the_library_itself(host: Host) -> None:
    assert steps(host, "node 1", "node 2") == 2
    gone = run_command("detach", host.pid, "--force")
    assert gone.status == 0, gone
    assert steps(host, "drop", "node 3", "itself", "drop") == 2
    assert run_command("handles", host.pid).status == 3


def test_a_library_that_the_program_is_linked_with_is_followed_too(
    library: Path, tmp_path: Path
) -> None:
    program = shapes_host(tmp_path, linked_with=library)
    env = preloaded() | {"LD_LIBRARY_PATH": str(library.parent)}
    with running(program, tmp_path, env) as child:
        assert step(child, "node 1") == [1]
        assert counts(child) == [("Node", 1, 1, 0)]
        assert step(child, "drop") == [0]
        assert counts(child) == []


def test_without_the_variable_a_program_stays_as_it_is(library: Path, tmp_path: Path) -> None:
    env = preloaded() | {"ARC_INSPECTOR": ""}
    with running(shapes_host(tmp_path), tmp_path, env, words=[library]) as child:
        assert step(child, "node 1") == [1]
        assert run_command("handles", child.pid).status == 3


def test_run_finds_the_program_behind_a_script_and_keeps_its_status(
    library: Path, tmp_path: Path
) -> None:
    script = tmp_path / "start.sh"
    script.write_text(f"#!/bin/sh\n{shapes_host(tmp_path)} {library}\nexit 5\n")
    script.chmod(0o755)
    done = subprocess.run(
        command_line("run", "--headless", "--", str(script)),
        input="node 1\nnode 2\ndrop\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        env=command_environment(),
    )
    assert (done.returncode, done.stdout) == (5, "ready\n1\n2\n1\n"), done.stderr
    assert "0 handles alive at the end" in done.stderr


def test_a_program_without_such_a_library_runs_and_the_tool_says_so() -> None:
    done = run_command("run", "--headless", "--", "true")
    assert done.status == 0
    assert "no process of it used a library of UniFFI's" in done.err


@pytest.mark.parametrize("level", [Level.COUNT, Level.OFF])
def test_a_level_below_stacks_records_as_much_as_it_says(
    library: Path, tmp_path: Path, level: Level
) -> None:
    with running(shapes_host(tmp_path), tmp_path, preloaded(level), words=[library]) as child:
        assert steps(child, "node 1", "node 2", "drop") == 1
        expected = [("Node", 1, 1, 0)] if level is Level.COUNT else []
        assert counts(child) == expected


@pytest.mark.parametrize("package", CLONING)
def test_the_descriptions_in_published_libraries_are_understood(package: str) -> None:
    (library,) = installed(package).rglob("lib*_ffi.so" if "nostr" in package else "libbdkffi.so")
    contract, classes, functions, unread, followed = described(library)
    assert contract in (26, 29, 30)
    assert unread == 0
    assert min(classes, functions // 5, followed // 5) > 30
