"""Declarations of a viewer for its target, and the notices about followed classes."""

from __future__ import annotations

from inspector.attach.diagnosis import others_text
from inspector.attach.interpreters import count_interpreters
from inspector.errors import ControlError
from inspector.session.adapter_answers import adapter_report
from inspector.session.questions import Questions
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import declaration_value


def declare(target: Questions, declared: Declared | None) -> tuple[str, ...]:
    """Send the declarations; the notices about these and about the target's own.

    ``None``: the target is not even asked.
    """
    if declared is None:
        return ()
    values = [declaration_value(declaration) for declaration in declared.declarations]
    try:
        answer = target.ask("declare", declarations=values) if values else target.ask("adapters")
        heard = adapter_report(answer).notices()
    except ControlError as error:
        # An older agent, or a target that cannot answer: only the message to it is lost.
        heard = (f"{error}: the viewer's declarations are not followed",) if values else ()
    return (*declared.troubles, *heard, *_other_interpreters(target.pid))


def _other_interpreters(pid: int) -> tuple[str, ...]:
    """A notice that objects of sub-interpreters are not followed."""
    count = count_interpreters(pid) or 1
    outside = f"look from outside: arc-inspector handles {pid} --read-only"
    return (f"the process {others_text(count)}; {outside}",) if count > 1 else ()
