"""Reports of ``check`` for code scanning and for the summary of a CI job: SARIF and Markdown."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from inspector.commands.support.check_report import Verdict
from inspector.errors import UsageError
from inspector.leaks.leak import Leak, handles_text, holder_lines, leaks_text
from inspector.model.exports.ticket import plain
from inspector.systems import CLOSE_ON_EXEC, give_to_owner
from inspector.whole_files import OWNER_ONLY

SUMMARY_VARIABLE: Final = "GITHUB_STEP_SUMMARY"
"""Names the file to which a job of GitHub Actions appends its summary."""
RULE: Final = "native-handle-leak"
MOST_SHOWN: Final = 50
_MARKS: Final = (b'"verdict"', b'name="arc-inspector"', b'"name": "arc-inspector"')
"""Each report has one of them in its first lines."""
_MARKS_WITHIN: Final = 4096
_FENCE: Final = "```"
_FRAME: Final = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))? in (?P<function>.*)", re.DOTALL)


def sarif_text(verdict: Verdict, version: str) -> str:
    """A result a leak, at the line that made it, with its stack. SARIF 2.1.0."""
    rule = {
        "id": RULE,
        "shortDescription": {"text": "Native handles outlive their program or test"},
        "defaultConfiguration": {"level": "error"},
    }
    notifications = [{"level": "error", "message": {"text": verdict.trouble}}]
    run = {
        "tool": {"driver": {"name": "arc-inspector", "version": version, "rules": [rule]}},
        "invocations": [
            {
                "executionSuccessful": verdict.unknown is None,
                "toolExecutionNotifications": notifications if verdict.trouble else [],
            }
        ],
        "results": [
            *(_result(leak) for leak in verdict.leaks),
            *(_result(leak) | {"suppressions": [_allowed(leak)]} for leak in verdict.allowed),
        ],
    }
    value = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(value, indent=2) + "\n"


def _allowed(leak: Leak) -> dict[str, str]:
    return {"kind": "external", "justification": leak.reason}


def _result(leak: Leak) -> dict[str, Any]:
    owner = f" made by {leak.owner}" if leak.owner else ""
    closed = ", never closed" if leak.is_open else ""
    said = f"{handles_text(leak.count)} of {leak.type}{owner} leaked{closed}"
    found: dict[str, Any] = {
        "ruleId": RULE,
        "level": "error",
        "message": {"text": "\n".join([said, *holder_lines(leak)])},
        "partialFingerprints": {"typeAndSite/v1": f"{leak.type} {leak.site}"},
    }
    places = [place for frame in leak.stack if (place := _location(frame)) is not None]
    if places:
        frames = [{"location": place} for place in places]
        found["locations"] = places[:1]
        found["stacks"] = [{"message": {"text": "Made at"}, "frames": frames}]
    return found


def _location(frame: str) -> dict[str, Any] | None:
    """The place of a frame such as ``tests/test_a.py:41 in add``."""
    found = _FRAME.fullmatch(frame)
    if found is None:
        return None
    path = found["file"]
    uri = f"file://{quote(path)}" if path.startswith("/") else quote(path)
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if found["line"] and int(found["line"]):
        place["region"] = {"startLine": int(found["line"])}
    return {"physicalLocation": place, "message": {"text": found["function"]}}


def summary_text(verdict: Verdict) -> str:
    """The verdict as Markdown: a sentence, then a table of leaks with their stacks below."""
    lines = ["## arc-inspector check", "", _sentence(verdict), ""]
    if verdict.leaks:
        shown = verdict.leaks[:MOST_SHOWN]
        stacks = leaks_text(shown).replace(_FENCE, "'").splitlines()
        lines += ["| Handles | Type | Made at | By |", "| ---: | --- | --- | --- |"]
        lines += [_line(leak) for leak in shown]
        lines += ["", "<details><summary>Stacks</summary>", "", f"{_FENCE}text", *stacks, _FENCE]
        lines += ["", "</details>", ""]
    if len(verdict.leaks) > MOST_SHOWN:
        lines += [f"and {len(verdict.leaks) - MOST_SHOWN:,} more leaks", ""]
    lines += [
        f"- allowed: {leak.count:,} × {plain(leak.type)}: {plain(leak.reason)}"
        for leak in verdict.allowed
    ]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(verdict: Verdict) -> str:
    if verdict.unknown:
        return f"**Unknown**: {plain(verdict.trouble)}"
    if verdict.leaks:
        return f"**{handles_text(sum(leak.count for leak in verdict.leaks))} leaked**"
    return f"No handle leaked{f'; {plain(verdict.trouble)}' if verdict.trouble else ''}"


def _line(leak: Leak) -> str:
    closed = ", never closed" if leak.is_open else ""
    cells = (f"{leak.count:,}", f"{leak.type}{closed}", leak.site or "–", leak.owner or "–")
    return f"| {' | '.join(map(plain, cells))} |"


def append_summary(verdict: Verdict) -> None:
    """Append to the summary of the CI job, if there is one. Raises ``UsageError``."""
    path = os.environ.get(SUMMARY_VARIABLE, "")
    if path:
        try:
            with Path(path).open("a", encoding="utf-8", errors="replace") as file:
                file.write(summary_text(verdict))
        except OSError as error:
            raise UsageError(f"{error.strerror or error}: {path}") from error


def require_report(path: Path, *, force: bool) -> None:
    """Raises ``UsageError`` where a file of another kind than a report is already.

    It is called before the program runs.
    """
    try:
        if force or not stat.S_ISREG(path.stat().st_mode):
            return
        with path.open("rb") as file:
            start = file.read(_MARKS_WITHIN)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise UsageError(f"{getattr(error, 'strerror', None) or error}: {path}") from error
    if start.strip() and not any(mark in start for mark in _MARKS):
        raise UsageError(
            f"the file is there already and is no report of check, --force replaces it: {path}"
        )


def write_over(path: Path, text: str) -> None:
    """Write a report over an older one, for its owner only. Raises ``OSError``.

    A report may also go into a pipe or a device, which stays what it is.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | CLOSE_ON_EXEC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            give_to_owner(file.fileno(), OWNER_ONLY)
        file.write(text)
