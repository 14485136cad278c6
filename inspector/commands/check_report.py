"""What ``check`` found: the verdict, as text, JSON and JUnit's XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Xml  # written, never read

from inspector.errors import UsageError
from inspector.leaks.allow import AllowList
from inspector.leaks.leak import Leak, handles_text, leak_of, leaks_text

MAX_FILE_CHARS: Final = 64 << 20
"""More is cut off, and then is no JSON."""
PYTEST_USAGE: Final = 4
PYTEST_EMPTY: Final = 5
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot carry."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the run."""

    leaks: tuple[Leak, ...]
    allowed: tuple[Leak, ...]
    not_judged: tuple[str, ...]
    """Tests that failed."""
    status: int
    """The command's own exit status."""
    trouble: str
    """Why it failed although nothing leaked, or why nothing can be said; ``""`` when neither is so."""
    is_known: bool
    """Whether handles were looked at."""
    is_pytest: bool

    @property
    def exit_status(self) -> int:
        """0: it did its work and nothing leaked; 2: pytest was used wrongly; 1: anything else."""
        if self.is_pytest and self.status == PYTEST_USAGE:
            return UsageError.exit_status
        return 1 if self.leaks or self.trouble else 0

    def text(self) -> str:
        """For people; pytest has said its part itself."""
        parts = []
        if self.leaks and not self.is_pytest:
            count = sum(leak.count for leak in self.leaks)
            parts.append(f"arc-inspector: {handles_text(count)} alive at the end\n{leaks_text(self.leaks)}")
        elif self.leaks:
            parts.append(f"arc-inspector: {handles_text(sum(leak.count for leak in self.leaks))} leaked")
        elif self.is_known:
            parts.append("arc-inspector: no handle leaked")
        if not self.is_pytest:
            parts += [f"  allowed: {leak.count:,} × {leak.type}: {leak.reason}" for leak in self.allowed]
        return "\n".join(parts)

    def value(self) -> dict[str, Any]:
        """As JSON."""
        kind = "unknown" if not self.is_known else "leaks" if self.leaks else "clean"
        return {
            "verdict": kind,
            "status": self.status,
            "trouble": self.trouble or None,
            "leaks": [leak.value() for leak in self.leaks],
            "allowed": [leak.value() for leak in self.allowed],
            "not_judged": list(self.not_judged),
        }

    def write(self, json_file: str, junit_file: str, *, name: str) -> None:
        """The files that were asked for. Raises ``UsageError`` for one that cannot be written."""
        texts = ((json_file, json.dumps(self.value(), indent=2) + "\n"), (junit_file, junit_text(self, name)))
        for file, text in texts:
            if file:
                try:
                    Path(file).write_text(text, encoding="utf-8")
                except OSError as error:
                    raise UsageError(f"{error.strerror or error}: {file}") from error


def read_verdict(file: Path, allowed: AllowList, status: int, *, is_pytest: bool) -> Verdict:
    """What the program wrote, judged; what the program wrote is checked, it may be anything."""
    trouble = "" if status == 0 or (is_pytest and status == PYTEST_EMPTY) else f"the command ended with status {status}"
    try:
        with file.open(encoding="utf-8") as opened:
            value = json.loads(opened.read(MAX_FILE_CHARS))
        leaks, passed = _leaks(value, "leaks"), _leaks(value, "allowed")
        not_judged = tuple(str(each) for each in value.get("not_judged", ()))
    except FileNotFoundError:
        trouble = trouble or "the command ended without a report"
        return Verdict((), (), (), status, f"{trouble}, so nothing is known of its handles", False, is_pytest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Verdict((), (), (), status, f"the leak report is not understood: {error}", False, is_pytest)
    if not is_pytest:
        leaks, passed = allowed.judge(leaks)
    return Verdict(tuple(leaks), tuple(passed), not_judged, status, "" if leaks else trouble, True, is_pytest)


def junit_text(verdict: Verdict, name: str) -> str:
    """One test case for each leak, or one that passes."""
    failures = len(verdict.leaks) + bool(verdict.trouble)
    suite = Xml.Element("testsuite", name="arc-inspector", tests=str(max(failures, 1) + len(verdict.allowed)), failures=str(failures))
    for leak in verdict.leaks:
        case = _case(suite, leak, name)
        failure = Xml.SubElement(case, "failure", message=_clean(f"{handles_text(leak.count)} leaked: {leak.type}"))
        failure.text = _clean(leaks_text([leak]))
    for leak in verdict.allowed:
        Xml.SubElement(_case(suite, leak, name), "skipped", message=_clean(f"allowed: {leak.reason}"))
    if verdict.trouble:
        case = Xml.SubElement(suite, "testcase", classname="arc-inspector", name=_clean(name))
        Xml.SubElement(case, "failure", message=_clean(verdict.trouble))
    elif not verdict.leaks:
        Xml.SubElement(suite, "testcase", classname="arc-inspector", name=_clean(name))
    Xml.indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(suite, encoding="unicode")}\n'


def _case(suite: Xml.Element, leak: Leak, name: str) -> Xml.Element:
    where = f"{leak.type} made at {leak.site}" if leak.site else leak.type
    return Xml.SubElement(suite, "testcase", classname=_clean(leak.owner or name), name=_clean(where))


def _leaks(value: Mapping[str, Any], name: str) -> list[Leak]:
    return [leak_of(each) for each in value.get(name, ())]


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
