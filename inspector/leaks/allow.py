"""The allow-list: leaks that are known, each with a reason that is reported whenever it is used.

Pure but for reading the file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from inspector.errors import UsageError
from inspector.leaks.leak import Leak
from inspector.wire.declaration_files import find_project, project_table

FORM: Final = "TYPE[@SITE]=REASON"


@dataclass(frozen=True, slots=True)
class Allowance:
    """An allowance: all of its patterns match (``*`` and ``?`` as in file names)."""

    reason: str
    type: str = "*"
    site: str = ""
    """Matches any frame of the stack, or a part of a frame; ``""``: any leak."""
    test: str = "*"
    at_most: int = 0
    """Handles; 0: any number."""

    def covers(self, leak: Leak) -> bool:
        """Whether a leak is allowed by this."""
        if self.at_most and leak.count > self.at_most:
            return False
        is_here = not self.site or any(fnmatchcase(frame, f"*{self.site}*") for frame in leak.stack)
        return is_here and fnmatchcase(leak.type, self.type) and fnmatchcase(leak.owner, self.test)


class AllowList:
    """Allowances, and which of them were used."""

    def __init__(self, allowances: Sequence[Allowance]) -> None:
        """The first that covers a leak counts."""
        self._allowances = tuple(allowances)

    def with_more(self, allowances: Sequence[Allowance]) -> AllowList:
        """This list, and before it these."""
        return AllowList((*allowances, *self._allowances))

    def judge(self, leaks: Sequence[Leak]) -> tuple[list[Leak], list[Leak]]:
        """Leaks that are not allowed, and allowed leaks with the reason."""
        bad, allowed = [], []
        for leak in leaks:
            reason = next((each.reason for each in self._allowances if each.covers(leak)), "")
            if reason:
                allowed.append(dataclasses.replace(leak, reason=reason))
            else:
                bad.append(leak)
        return bad, allowed


def read_allow_list(folder: Path, words: Sequence[str]) -> AllowList:
    """``[[tool.arc-inspector.leaks]]`` of the project, and words of a command line.

    The project is around ``folder``. Raises ``UsageError``.
    """
    allowances = [parse_word(word) for word in words]
    project = find_project(folder)
    if project is not None:
        troubles: list[str] = []
        table = project_table(project, troubles)
        if troubles:
            raise UsageError(troubles[0])
        listed = table.get("leaks", [])
        if not isinstance(listed, list):
            raise UsageError(
                f"leaks is not a list of tables, write [[tool.arc-inspector.leaks]]: {project}"
            )
        allowances += [_parse_table(each, project) for each in listed]
    return AllowList(allowances)


def parse_word(word: str) -> Allowance:
    """``TYPE[@SITE]=REASON``. Raises ``UsageError``."""
    what, _, reason = word.partition("=")
    type_name, _, site = what.partition("@")
    if not type_name or not reason.strip():
        raise UsageError(f"an allowed leak is written {FORM}: {word}")
    return Allowance(reason=reason.strip(), type=type_name, site=site)


def _parse_table(value: Any, path: Path) -> Allowance:
    """An allowance of the project's."""
    known = {field.name: field.type for field in dataclasses.fields(Allowance)}
    if not isinstance(value, Mapping):
        raise UsageError(f"an allowed leak is not a table: {path}")
    for name, each in value.items():
        if name not in known:
            raise UsageError(
                f"{name} is not understood in an allowed leak, there are {', '.join(known)}: {path}"
            )
        if isinstance(each, bool) or not isinstance(each, int if known[name] == "int" else str):
            raise UsageError(
                f"{name} of an allowed leak is not "
                f"{'a number' if known[name] == 'int' else 'a text'}: {path}"
            )
    if not str(value.get("reason", "")).strip():
        raise UsageError(f"an allowed leak has no reason: {path}")
    return Allowance(**value)
