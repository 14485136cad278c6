"""Calls of native code into Python objects that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import ids_filter
from inspector.model.findings.leads import NO_PLACE, FailedCallback
from inspector.model.wording import plural

SHOWN_HANDLES: Final = 4


@dataclass(frozen=True, slots=True)
class FailedCallbacks:
    """Looks for methods of Python objects that raised undeclared exceptions in native calls."""

    key: str = "callback-failed"
    title: str = "Callbacks that fail"
    about: str = (
        "A method that native code called raised an exception that its interface does not "
        "declare. Native code gets an error without"
        " a type, or, where the call could not even begin, no answer at all; then it waits for ever"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a method and the place of the exception."""
        if facts.failed is None:
            return [
                Finding(
                    self.key,
                    Verdict.UNMEASURED,
                    ("No module is followed of which a running agent sees callbacks fail"),
                )
            ]
        if not facts.failed:
            return [
                Finding(
                    self.key, Verdict.OK, ("No callback failed since the agent follows its module")
                )
            ]
        return [self._finding(each) for each in facts.failed]

    def _finding(self, failed: FailedCallback) -> Finding:
        handles = tuple(handle for handle, _ in failed.handles[-SHOWN_HANDLES:])
        place = failed.place or NO_PLACE
        objects = (
            ((f"Native code holds or held {plural(len(failed.handles), 'object')} of it"),)
            if failed.handles
            else ()
        )
        return Finding(
            self.key,
            Verdict.SUSPECT,
            failed.headline,
            subject=f"{failed.method} {failed.error} at {place}",
            evidence=(
                (f"{failed.error} was raised at {place}, and the interface does not declare it"),
                *objects,
            ),
            filter=ids_filter(handles),
            handles=handles,
        )
