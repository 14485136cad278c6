"""The verdict of ``check`` as text, JSON and JUnit's XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Xml  # written, never read

from inspector.commands.support.output import SCHEMA
from inspector.errors import UNKNOWN_STATUS, UsageError
from inspector.leaks.allow import AllowList
from inspector.leaks.leak import Leak, handles_text, leak_of, leaks_text
from inspector.leaks.measured import NOTHING, Measured, measured_of

MAX_FILE_CHARS: Final = 64 << 20
"""More is cut off, and then is no JSON."""
PYTEST_USAGE: Final = 4
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot carry."""


class Unknown(StrEnum):
    """The reason why nothing can be said of a run's handles."""

    NOT_STARTED = "not-started"
    NO_REPORT = "no-report"
    """The program was killed, or left by ``os._exit`` or ``exec``."""
    FAILED = "failed"
    """The program ended with an exception, whose traceback holds objects."""
    NOT_FOLLOWED = "not-followed"
    """No class was followed, or a declaration was refused."""
    NO_TESTS = "no-tests"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the run."""

    leaks: tuple[Leak, ...]
    allowed: tuple[Leak, ...]
    not_judged: tuple[str, ...]
    """Tests that failed."""
    status: int
    """The command's own exit status."""
    trouble: str
    """Why it failed although nothing leaked, or why nothing can be said; ``""`` when neither is
    so."""
    unknown: Unknown | None
    """``None``: handles were looked at."""
    is_pytest: bool
    measured: Measured = NOTHING

    @property
    def exit_status(self) -> int:
        """0: it did its work and nothing leaked.

        1: something leaked or the command failed; 2: wrong use; 4: nothing can be said.
        """
        if self.unknown is Unknown.NOT_STARTED or (self.is_pytest and self.status == PYTEST_USAGE):
            return UsageError.exit_status
        if self.unknown:
            return UNKNOWN_STATUS
        return 1 if self.leaks or self.trouble else 0

    def text(self) -> str:
        """For people; pytest has said its part itself."""
        parts = []
        if self.leaks and not self.is_pytest:
            count = sum(leak.count for leak in self.leaks)
            parts.append(
                f"arc-inspector: {handles_text(count)} alive at the end\n{leaks_text(self.leaks)}"
            )
        elif self.leaks:
            parts.append(
                f"arc-inspector: {handles_text(sum(leak.count for leak in self.leaks))} leaked"
            )
        elif self.unknown is None:
            followed = "followed " if self.measured.unfollowed else ""
            parts.append(f"arc-inspector: no {followed}handle leaked")
        parts += [
            f"arc-inspector: {line}" for line in ([] if self.is_pytest else self.measured.lines())
        ]
        if not self.is_pytest:
            parts += [
                f"  allowed: {leak.count:,} × {leak.type}: {leak.reason}" for leak in self.allowed
            ]
        return "\n".join(parts)

    def value(self) -> dict[str, Any]:
        """As JSON."""
        kind = "unknown" if self.unknown else "leaks" if self.leaks else "clean"
        return {
            "schema": SCHEMA,
            "verdict": kind,
            "unknown_because": self.unknown,
            "status": self.status,
            "trouble": self.trouble or None,
            "leaks": [leak.value() for leak in self.leaks],
            "allowed": [leak.value() for leak in self.allowed],
            "not_judged": list(self.not_judged),
            **self.measured.value(),
        }

    def json_text(self) -> str:
        """The text of the JSON report."""
        return json.dumps(self.value(), indent=2) + "\n"


def read_verdict(file: Path, allowed: AllowList, status: int, *, is_pytest: bool) -> Verdict:
    """The report that the program wrote, judged. The report is checked: it may be anything."""
    trouble = "" if status == 0 else f"the command ended with status {status}"
    try:
        with file.open(encoding="utf-8") as opened:
            value = json.loads(opened.read(MAX_FILE_CHARS))
        leaks, passed, measured = (
            _leaks(value, "leaks"),
            _leaks(value, "allowed"),
            measured_of(value),
        )
        not_judged = tuple(str(each) for each in value.get("not_judged", ()))
        unknown, reason = _unknown(value, measured, is_pytest=is_pytest)
        # before the plugin made it say that nothing is known
        status = int(value.get("status", status))
    except FileNotFoundError:
        trouble = (
            f"{trouble or 'the command ended without a report'}, so nothing is known of its handles"
        )
        return Verdict((), (), (), status, trouble, Unknown.NO_REPORT, is_pytest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Verdict(
            (),
            (),
            (),
            status,
            f"the leak report is not understood: {error}",
            Unknown.NO_REPORT,
            is_pytest,
        )
    if not is_pytest:
        leaks, passed = allowed.judge(leaks)
    if unknown in (Unknown.NOT_STARTED, Unknown.FAILED) or (unknown and not leaks):
        return Verdict((), (), not_judged, status, reason, unknown, is_pytest, measured)
    return Verdict(
        tuple(leaks),
        tuple(passed),
        not_judged,
        status,
        "" if leaks else trouble,
        None,
        is_pytest,
        measured,
    )


def _unknown(
    value: Mapping[str, Any], measured: Measured, *, is_pytest: bool
) -> tuple[Unknown | None, str]:
    """The reason why a report says nothing, if there is one, and the reason in words."""
    failure = str(value.get("failure", ""))
    if not value.get("started", True):
        return Unknown.NOT_STARTED, f"the command could not start: {failure}"
    if failure:
        return Unknown.FAILED, (
            f"the command ended with {failure}, so nothing is known of its handles"
        )
    if is_pytest and not int(value["judged"]):
        return Unknown.NO_TESTS, "no test was judged, so nothing is known of its handles"
    return (Unknown.NOT_FOLLOWED, measured.trouble) if measured.trouble else (None, "")


def junit_text(verdict: Verdict, name: str) -> str:
    """One test case for each leak, or one that passes."""
    failures = len(verdict.leaks) + bool(verdict.trouble)
    suite = Xml.Element(
        "testsuite",
        name="arc-inspector",
        tests=str(max(failures, 1) + len(verdict.allowed)),
        failures=str(failures),
    )
    for leak in verdict.leaks:
        case = _case(suite, leak, name)
        failure = Xml.SubElement(
            case, "failure", message=_clean(f"{handles_text(leak.count)} leaked: {leak.type}")
        )
        failure.text = _clean(leaks_text([leak]))
    for leak in verdict.allowed:
        Xml.SubElement(
            _case(suite, leak, name), "skipped", message=_clean(f"allowed: {leak.reason}")
        )
    if verdict.trouble:
        case = Xml.SubElement(suite, "testcase", classname="arc-inspector", name=_clean(name))
        Xml.SubElement(case, "failure", message=_clean(verdict.trouble))
    elif not verdict.leaks:
        Xml.SubElement(suite, "testcase", classname="arc-inspector", name=_clean(name))
    Xml.indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(suite, encoding="unicode")}\n'


def _case(suite: Xml.Element, leak: Leak, name: str) -> Xml.Element:
    where = f"{leak.type} made at {leak.site}" if leak.site else leak.type
    return Xml.SubElement(
        suite, "testcase", classname=_clean(leak.owner or name), name=_clean(where)
    )


def _leaks(value: Mapping[str, Any], name: str) -> list[Leak]:
    return [leak_of(each) for each in value.get(name, ())]


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
