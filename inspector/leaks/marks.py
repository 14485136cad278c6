"""``@pytest.mark.arc_leaks(allow=…, at_most=…, reason=…)``: leaks that one test may have. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from inspector.errors import UsageError
from inspector.leaks.allow import Allowance

NAME: Final = "arc_leaks"
FORM: Final = "arc_leaks(allow='TYPE@SITE', at_most=N, reason='…')"
DEFAULT_REASON: Final = "marked in the test"
_KNOWN: Final = frozenset({"allow", "at_most", "reason"})


def allowances(words: Sequence[Any], named: Mapping[str, Any]) -> list[Allowance]:
    """The allowance of a mark or a check.

    ``allow``: a pattern of types with a site, or several; without it any type. ``at_most``: handles
    of one type and place; without it any number. Raises ``UsageError``.
    """
    unknown = sorted(named.keys() - _KNOWN)
    if words or unknown:
        what = unknown[0] if unknown else f"{words[0]!r} without a name"
        raise UsageError(f"{what} is not understood, write {FORM}")
    patterns, at_most = named.get("allow", ()), named.get("at_most", 0)
    reason = named.get("reason", DEFAULT_REASON)
    listed = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(listed, list | tuple) or not all(
        isinstance(each, str) and each.partition("@")[0] for each in listed
    ):
        raise UsageError(f"allow is no TYPE[@SITE] and no list of them, write {FORM}")
    if isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 0:
        raise UsageError(f"at_most is no number of handles, write {FORM}")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"reason is no text, write {FORM}")
    if not listed and not at_most:
        return []
    return [_allowance(each, at_most, reason) for each in listed or ["*"]]


def _allowance(pattern: str, at_most: int, reason: str) -> Allowance:
    type_name, _, site = pattern.partition("@")
    return Allowance(reason=reason.strip(), type=type_name, site=site, at_most=at_most)
