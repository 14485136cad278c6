"""Compares a run with an agent with a run without: the list of compared facts, each with its rule.

A rule returns the difference in words, ``""`` when there is none. It knows whether the agent is in,
was detached, or was never there: while it is in, it may have its own objects; once it is detached,
only the objects in the table.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tests.helpers.safety.programs import Comes, Program, Way
from tests.helpers.safety.runs import Moment, Run
from tests.helpers.safety.seen import MEMORY

OWN_THREADS: Final = re.compile(r"(ai|arc)-.*")
OWN_MODULES: Final = re.compile(r"(_arc_)?inspector(_copies)?(\..*)?|_cffi_backend(\..*)?")
OWN_FILES: Final = re.compile(
    r".*/(_native\.abi3\.so|_cffi_backend[^/]*\.so|lib-dynload/[^/]*\.so|lib(gcc_s|pthread|dl|m|rt|ffi)[-.][^/]*)( \(deleted\))?"
)
SEGMENT_FILES: Final = re.compile(r".*(/arc-inspector-\d+/|memfd:).*")
SEGMENT_NAMES: Final = re.compile(r"runtime/arc-inspector-\d+/\d+-\d+\.(seg|sock)")
MOST_SEGMENTS: Final = 2 * 65
"""Files of the 64 that are kept for a look afterwards, and of the program itself."""
OWN_OBJECTS: Final = re.compile(r"(_arc_)?inspector\..*")
MOST_MEMORY_KIB: Final = 40 * 1024
"""Memory of the program that an agent may take."""
MOST_MAPPINGS: Final = 160
"""Of memory without a file: the agent's modules live in some, its threads' stacks in others."""
MOST_EXIT_FUNCTIONS: Final = 2
OWN_SIGNALS: Final = 1 << 6
"""SIGBUS, of a segment that another process cuts short; every other one goes on to the program's
handler."""
C_LIBRARY_SIGNALS: Final = 0b11 << 31
"""32 and 33, which the C library catches for itself once a program has threads; no program can."""


class Presence(Enum):
    """How it is with the agent."""

    NEVER = "never"
    IN = "in"
    LEFT = "left"


Rule = Callable[[Any, Any, Presence], str]


def same(expected: Any, got: Any, _presence: Presence) -> str:
    """As without the agent."""
    if expected == got:
        return ""
    if isinstance(expected, dict) and isinstance(got, dict):
        changed = sorted(
            name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name)
        )
        expected, got = ({name: each.get(name) for name in changed} for each in (expected, got))
    return f"{expected} became {got}"


def own_while_in(own: re.Pattern[str]) -> Rule:
    """A list of names, to which the agent adds its own while it is in."""

    def rule(expected: Any, got: Any, presence: Presence) -> str:
        return same(
            expected,
            [name for name in got if presence is not Presence.IN or not own.fullmatch(name)],
            presence,
        )

    return rule


def more_while_in(most: int, *, most_left: int = 0) -> Rule:
    """A number that may be so much larger."""

    def rule(expected: Any, got: Any, presence: Presence) -> str:
        most_now = {Presence.IN: most, Presence.LEFT: most_left, Presence.NEVER: 0}[presence]
        return "" if expected <= got <= expected + most_now else f"{expected} became {got}"

    return rule


def replaced_while_in(expected: Any, got: Any, presence: Presence) -> str:
    """A function that the agent replaces while it is in."""
    return (
        ""
        if presence is Presence.IN and OWN_OBJECTS.fullmatch(str(got))
        else same(expected, got, presence)
    )


def memory(expected: int, got: int, presence: Presence) -> str:
    """At most so much more; pages that a program happens to touch differ from run to run."""
    most = MOST_MEMORY_KIB if presence is not Presence.NEVER else MOST_MEMORY_KIB // 4
    return "" if got <= expected + most else f"{expected:,} KiB became {got:,} KiB"


def mappings(expected: Mapping[str, int], got: Mapping[str, int], presence: Presence) -> str:
    """All of the program's, and more only of the agent's own.

    Its libraries stay, since threads may still be leaving their code.
    """
    foreign = [name for name in got.keys() - expected.keys() if not _may_be_mapped(name, presence)]
    gone = [name for name in expected.keys() - got.keys() if not name.startswith("memory")]
    most = MOST_MAPPINGS if presence is not Presence.NEVER else 8
    wrong = [f"{name} is mapped" for name in foreign] + [f"{name} is gone" for name in gone]
    if got.get("memory", 0) > expected.get("memory", 0) + most:
        wrong.append(f"{expected.get('memory')} mappings of memory became {got.get('memory')}")
    return ", ".join(sorted(wrong))


def _may_be_mapped(name: str, presence: Presence) -> bool:
    if presence is Presence.NEVER:
        return False
    if name == "memory that is executable":
        return True
    return bool(OWN_FILES.fullmatch(name)) or (
        presence is Presence.IN and bool(SEGMENT_FILES.fullmatch(name))
    )


def modules(expected: Iterable[str], got: Iterable[str], presence: Presence) -> str:
    """The agent's modules stay imported; a package may then import fewer standard modules."""
    changed = set(got) ^ set(expected)
    if presence is not Presence.NEVER:
        changed = {
            name
            for name in changed
            if not OWN_MODULES.fullmatch(name)
            and name.partition(".")[0] not in sys.stdlib_module_names
        }
    return ", ".join(sorted(f"{name} {'came' if name in got else 'went'}" for name in changed))


def caught(expected: str, got: str, presence: Presence) -> str:
    """Masks of signals in hexadecimal, without the C library's, or the agent's while it is in."""
    ignored = C_LIBRARY_SIGNALS | (OWN_SIGNALS if presence is Presence.IN else 0)
    program, with_agent = (f"{int(each, 16) & ~ignored:x}" for each in (expected, got))
    return same(program, with_agent, presence)


RULES: Final[Mapping[str, Rule]] = {
    "threads": own_while_in(OWN_THREADS),
    "mappings": mappings,
    "caught signals": caught,
    MEMORY: memory,
    "view: exit functions": more_while_in(MOST_EXIT_FUNCTIONS, most_left=MOST_EXIT_FUNCTIONS),
    "view: collector's callbacks": more_while_in(1),
    "view: finders": own_while_in(OWN_OBJECTS),
    "view: birth of a thread": replaced_while_in,
    "view: modules": modules,
}
"""By the name of the fact; all others have to be the same."""

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "output": ("stdout", "stderr", "result"),
    "exit status": ("exit status",),
    "descriptors": ("descriptors", "view: lowest descriptor", "view: open descriptors"),
    "mappings": ("mappings",),
    "threads and children": ("threads", "children", "view: thread objects"),
    "signals": (
        "caught signals",
        "ignored signals",
        "blocked signals",
        "view: handlers",
        "view: wakeup descriptor",
    ),
    "memory": (MEMORY,),
    "left behind": ("left behind",),
}
"""Columns of the document: facts by group; all other facts are in the group ``THE_REST``."""
THE_REST: Final = "interpreter and settings"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it has to be."""

    fact: str
    moment: str
    """``""``: of the whole run."""
    wrong: str

    @property
    def group(self) -> str:
        """The column of the document."""
        return next((group for group, facts in GROUPS.items() if self.fact in facts), THE_REST)

    def __str__(self) -> str:
        """One line."""
        return f"{self.fact}{f' ({self.moment})' if self.moment else ''}: {self.wrong}"


def differences(program: Program, way: Way, without: Run, run: Run) -> list[Difference]:
    """All that is wrong in a run."""
    return [
        *_of_arrival(program, way, run),
        *_of_run(program, way, without, run),
        *_of_moments(program, without, run),
    ]


def _of_arrival(program: Program, way: Way, run: Run) -> Iterable[Difference]:
    """An agent that silently stayed away would hurt nothing."""
    was_in = any(moment.has_agent for name, moment in run.moments.items() if name == "during")
    if was_in != program.admits(way):
        yield Difference("arrival", "", run.refusal or f"agent in: {was_in}")


def _of_run(program: Program, way: Way, without: Run, run: Run) -> Iterable[Difference]:
    errors = run.err
    if program.comes is Comes.REFUSED and way is Way.PREPARED:
        errors = re.sub(rb"\Aarc-inspector: [^\n]*\n", b"", errors)
    pairs = {
        "exit status": (without.status, run.status),
        "stdout": (without.out, run.out),
        "stderr": (without.err, errors),
        "result": (without.result, run.result),
        "moments": (list(without.moments), list(run.moments)),
    }
    for name, (expected, got) in pairs.items():
        if wrong := same(expected, got, Presence.NEVER):
            yield Difference(name, "", wrong)
    if wrong := left_behind(without.left_behind, run.left_behind):
        yield Difference("left behind", "", wrong)


def left_behind(expected: Sequence[str], got: Sequence[str]) -> str:
    """Files that are left.

    An agent whose process was killed leaves its segment for viewers, up to a number of processes.
    """
    foreign = [name for name in got if name not in expected and not SEGMENT_NAMES.fullmatch(name)]
    segments = [name for name in got if SEGMENT_NAMES.fullmatch(name)]
    return ", ".join(
        foreign
        if len(segments) <= MOST_SEGMENTS
        else [*foreign, f"{len(segments)} files of segments"]
    )


def _of_moments(program: Program, without: Run, run: Run) -> Iterable[Difference]:
    for name in without.moments.keys() & run.moments.keys():
        expected, got = without.moments[name].facts, run.moments[name].facts
        for fact in sorted((expected.keys() | got.keys()) - set(program.varies)):
            if wrong := RULES.get(fact, same)(
                expected.get(fact), got.get(fact), _presence(run.moments[name])
            ):
                yield Difference(fact, name, wrong)


def _presence(moment: Moment) -> Presence:
    if moment.was_left:
        return Presence.LEFT
    return Presence.IN if moment.has_agent else Presence.NEVER
