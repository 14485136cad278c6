"""The full form of the safety suite: runs every program in every way and writes ``docs/safety.md``.

Exits with 1 when something is not as it has to be; the document then says so.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tests.helpers.safety.comparing import GROUPS, THE_REST, Difference, differences
from tests.helpers.safety.programs import FULL_WAYS, PROGRAMS, Program, Way
from tests.helpers.safety.runs import Run, RunFailedError, run_program
from tests.helpers.targets import ROOT

DOCUMENT: Final = ROOT / "docs" / "safety.md"
COLUMNS: Final = ("arrival", *GROUPS, THE_REST)
HOLD_MILLIS: Final = "2000"
"""How long the program that holds the interpreter's lock does so while the agent comes, in the full
form."""
HEAD: Final = """# Safety

An agent must not hurt the process that it looks at. This table shows the trials.
`./dev safety` writes it again; do not edit it.

## Method

Each program is started without an agent and again in each way below, and both runs are compared: before the agent comes, while a
viewer looks at it, and after the viewer left. A program that differs from itself without any agent would show that in its first row.

| way | |
|---|---|
| without, again | no agent at all |
| prepared | `ARC_INSPECTOR=1` in its environment; a viewer attaches and leaves; the program ends with the agent in it |
| injected | the agent is brought in while the program runs, a viewer looks and leaves, the agent is detached |
| injected, kept | the same, and the program ends with the agent in it |

`=` is as without the agent, apart from what the agent may have of its own: threads named `ai-…`, its libraries and their memory,
one callback of the collector, one finder of imports, the function at a thread's birth, a handler of SIGBUS. After a detach its
libraries, imported modules, two exit functions and the memory of its way in stay. A segment of a killed process stays, too. The rules are
the tables of `tests/helpers/safety/comparing.py`, the programs the files of `tests/targets/safety`. A short form of all of this runs
in `./dev test`, where a difference counts when three runs show it: the full form below shows passing differences, too.

- *output* is stdout, stderr and the program's other output, byte by byte.
- *descriptors* are the numbers and kinds of `/proc/PID/fd`, the descriptors that the program itself
  sees open, and the number of its next descriptor.
- *memory* is private memory; 40 MiB more are allowed.
- *interpreter and settings* are limits, priority, processors, umask, folder, locale, environment, rights, handlers and hooks, trace and
  profile functions, filters of warnings, the import path, modules, names, the collector's settings and more.
- *processor time* is the program's own for a fixed piece of its work: without the agent, then beside a viewer. It is recorded, never
  judged: it differs between any two runs.

## Results

"""


@dataclass(frozen=True, slots=True)
class Row:
    """One program in one way."""

    program: Program
    way: Way
    wrong: tuple[Difference, ...]
    millis: tuple[float, float] | None
    """Processor time of the piece of work beside a viewer: without the agent and with it."""

    def cells(self) -> list[str]:
        """The cells of the table's row."""
        wrong = {
            each.group if each.group in GROUPS or each.fact != "arrival" else each.fact
            for each in self.wrong
        }
        speed = f"{self.millis[0]:.1f} → {self.millis[1]:.1f} ms" if self.millis else "–"
        return [
            self.way.value,
            *("**differs**" if column in wrong else "=" for column in COLUMNS),
            speed,
        ]


def rows_of(program: Program) -> Sequence[Row]:
    """All ways of one program; a run that stayed silent is a row as well."""
    without = run_program(program, Way.WITHOUT)
    return [_row(program, way, without) for way in FULL_WAYS]


def _row(program: Program, way: Way, without: Run) -> Row:
    try:
        run = run_program(program, way)
    except RunFailedError as error:
        return Row(program, way, (Difference("moments", "", str(error)),), None)
    measured = len(without.cpu_secs) > 1 and len(run.cpu_secs) > 1
    millis = (without.cpu_secs[1] * 1e3, run.cpu_secs[1] * 1e3) if measured else None
    return Row(program, way, tuple(differences(program, way, without, run)), millis)


def text_of(results: Sequence[tuple[Program, Sequence[Row]]]) -> str:
    """The whole document."""
    heads = ["program", "way", *COLUMNS, "processor time"]
    lines = [" | ".join(["", *heads, ""]).strip(), "|---" * len(heads) + "|"]
    for program, rows in results:
        if not rows:
            lines.append(
                f"| `{program.name}` | not run: {program.needs()} |" + " |" * (len(heads) - 2)
            )
        for at, row in enumerate(rows):
            lines.append(
                f"| {f'`{program.name}`' if at == 0 else ''} | " + " | ".join(row.cells()) + " |"
            )
    wrong = [
        f"- `{program.name}`, {row.way.value}: {each}"
        for program, rows in results
        for row in rows
        for each in row.wrong
    ]
    programs = [f"- `{program.name}` {program.odd}{_more_words(program)}." for program in PROGRAMS]
    parts = [
        f"On {machine()}.",
        "",
        *lines,
        "",
        "Differences:",
        "",
        *(wrong or ["nothing."]),
        "",
        "## Programs",
        "",
        *programs,
        "",
    ]
    return HEAD + "\n".join(parts)


def _more_words(program: Program) -> str:
    refused = (
        ""
        if program.admits(Way.INJECTED) and program.admits(Way.PREPARED)
        else f"; an agent {program.comes.value}"
    )
    return refused + (f"; not compared: {', '.join(program.varies)}" if program.varies else "")


def machine() -> str:
    """The machine in words, without its name."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    system = (
        f"{platform.system()} {platform.release().partition('-')[0]}, "
        f"{' '.join(platform.libc_ver())}"
    )
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {memory_gib} GiB, {system}, "
        f"CPython {platform.python_version()}"
    )


def main(names: Sequence[str]) -> int:
    """Run all, or only the named programs without writing the document; 1: a difference."""
    chosen = [program for program in PROGRAMS if not names or program.name in names]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        os.environ.update(XDG_RUNTIME_DIR=folder, SAFETY_HOLD_MILLIS=HOLD_MILLIS)
        results = [
            (program, rows) for program, rows in zip(chosen, pool.map(_told, chosen), strict=True)
        ]
    if not names:
        DOCUMENT.write_text(text_of(results), encoding="utf-8")
    return int(any(row.wrong for _, rows in results for row in rows))


def _told(program: Program) -> Sequence[Row]:
    rows = () if program.needs() else rows_of(program)
    wrong = [f"  {row.way.value}: {each}" for row in rows for each in row.wrong]
    print(
        "\n".join(
            [
                f"{program.name}: {'differs' if wrong else 'as without' if rows else program.needs()}",
                *wrong,
            ]
        ),
        flush=True,
    )
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
