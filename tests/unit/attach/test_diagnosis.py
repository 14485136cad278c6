"""Causes: pure judgement over made-up facts."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from inspector.attach.diagnosis import Method, Weight, diagnose
from inspector.attach.interpreter import Runtimes
from inspector.attach.probe import ProcessFacts

GOOD = ProcessFacts(
    4711,
    name="app",
    uid=1000,
    user="ann",
    own_uid=1000,
    may_trace=True,
    machine="x86-64",
    is_python=True,
    version=(3, 12),
    free_threaded=False,
)


def changed(**fields: Any) -> ProcessFacts:
    return dataclasses.replace(GOOD, **fields)


def test_a_usual_process_is_attached_by_injection_and_nothing_is_said():
    found = diagnose(GOOD)
    assert (found.method, found.causes) == (Method.INJECT, ())


def test_from_3_14_on_the_interpreters_own_way_is_taken_unless_it_was_switched_off():
    assert diagnose(changed(version=(3, 14))).method is Method.REMOTE
    off = diagnose(changed(version=(3, 14), remote_off=True))
    assert off.method is Method.INJECT
    assert [each.key for each in off.causes] == ["remote-off"]


def test_one_with_an_agent_is_attached_whatever_else_holds():
    assert diagnose(changed(has_agent=True, may_trace=False, state="T")).method is Method.AGENT


def test_other_interpreters_are_noted_with_and_without_an_agent():
    for has_agent in (False, True):
        found = diagnose(changed(has_agent=has_agent, interpreters=2))
        assert found.is_possible
        (note,) = found.causes
        assert (note.key, note.weight) == ("sub-interpreters", Weight.NOTE)
        assert note.text == "runs 1 sub-interpreter, whose objects an agent does not see"
        assert diagnose(changed(has_agent=has_agent, interpreters=1)).causes == ()


@pytest.mark.parametrize(
    ("key", "fields", "first_fix"),
    [
        ("no-process", {"exists": False}, None),
        ("ended", {"state": "Z"}, "ps --all"),
        ("architecture", {"machine": "i386"}, "Python for x86-64"),
        ("architecture", {"own_machine": "arm64"}, "Python for x86-64"),
        ("other-user", {"uid": 33, "user": "www", "may_trace": False}, "sudo -u www arc-inspector"),
        ("ptrace-scope", {"may_trace": False, "ptrace_scope": 1}, "arc-inspector run"),
        ("ptrace-scope", {"may_trace": False, "ptrace_scope": 2}, "arc-inspector run"),
        (
            "ptrace-scope",
            {"may_trace": False, "ptrace_scope": 3, "own_uid": 0},
            "arc-inspector run",
        ),
        ("not-dumpable", {"may_trace": False, "ptrace_scope": None}, "arc-inspector run"),
        ("no-permission", {"may_trace": False, "own_uid": 0}, "arc-inspector run"),
        ("traced", {"tracer": "gdb (9)"}, "end that debugger"),
        ("stopped", {"state": "T"}, "kill -CONT 4711"),
        ("no-python", {"is_python": False, "version": None}, "native runtime"),
        (
            "no-python",
            {"is_python": False, "version": None, "python_children": ((4712, "CPython 3.12.1"),)},
            "arc-inspector attach 4712",
        ),
        ("no-python", {"runtimes": Runtimes(python="", pypy=True, musl=False)}, "CPython"),
        ("musl", {"runtimes": Runtimes(python="libpython3.12.so", pypy=False, musl=True)}, "glibc"),
        ("version", {"version": (3, 10)}, "newer Python"),
        ("version", {"version": (3, 15)}, "newer arc-inspector"),
        ("free-threaded", {"version": (3, 13), "free_threaded": True}, "usual build"),
        ("no-backend", {"has_backend": False}, "cffi"),
        ("no-room", {"room": ("/var is mounted noexec",)}, "make room"),
        ("unreadable", {"trouble": "the file was replaced"}, "arc-inspector run"),
    ],
)
def test_what_is_in_the_way_is_named_with_the_safest_fix_first(
    key: str, fields: dict[str, Any], first_fix: str | None
):
    found = diagnose(changed(**fields))
    assert found.method is None
    assert found.first is not None
    assert (found.first.key, found.first.weight) == (key, Weight.BLOCKS)
    assert "\n" not in found.first.text
    if first_fix is None:
        assert found.first.fixes == ()
    else:
        assert first_fix in found.first.fixes[0]


def test_no_fix_ever_weakens_the_system():
    for scope in (0, 1, 2, 3):
        for own_uid in (0, 1000):
            causes = diagnose(changed(may_trace=False, ptrace_scope=scope, own_uid=own_uid)).causes
            assert not any(
                "ptrace_scope" in fix or "sysctl" in fix for each in causes for fix in each.fixes
            )


def test_a_filter_of_system_calls_asks_and_a_container_is_only_noted():
    found = diagnose(changed(seccomp=True, shares_files=False, no_new_privileges=True))
    assert found.method is Method.INJECT
    assert [(each.key, each.weight) for each in found.causes] == [
        ("seccomp", Weight.ASKS),
        ("container", Weight.NOTE),
        ("no-new-privileges", Weight.NOTE),
    ]
