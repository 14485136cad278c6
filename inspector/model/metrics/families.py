"""The metrics, one line each. Every other place derives from ``FAMILIES``. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

PROCESS: Final = ("service", "version", "program")
"""Labels of every metric of processes. The pid is none: its values would never repeat."""
TYPE: Final = (*PROCESS, "type")
RULE: Final = (*TYPE, "rule")


class Merge(Enum):
    """How the values of several processes with the same labels become one value."""

    COUNTER = "counter"
    """Their sum, which never falls: a process that ended stays in it."""
    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric."""

    key: str
    """Without prefix, unit and ``_total``."""
    about: str
    merge: Merge
    labels: tuple[str, ...] = TYPE
    unit: str = ""
    """``seconds``, or nothing: a number of things."""

    @property
    def name(self) -> str:
        """The name without the suffix of counters: ``arc_handles_live``."""
        return f"arc_{self.key}{f'_{self.unit}' if self.unit else ''}"

    @property
    def is_counter(self) -> bool:
        """Whether it never falls."""
        return self.merge is Merge.COUNTER

    @property
    def exposed_name(self) -> str:
        """The name in Prometheus: ``arc_handles_born_total``."""
        return f"{self.name}_total" if self.is_counter else self.name

    @property
    def dotted_name(self) -> str:
        """The name in OpenTelemetry, which has the unit beside it: ``arc.handles.born``."""
        return f"arc_{self.key}".replace("_", ".")


class Series(NamedTuple):
    """A metric with the values of its labels."""

    family: Family
    labels: tuple[str, ...]


LIVE: Final = Family("handles_live", "Live handles, of all processes", Merge.SUM)
LIVE_MOST: Final = Family("handles_live_most", "Live handles of the fullest process", Merge.MAX)
BORN: Final = Family("handles_born", "Handles created", Merge.COUNTER)
DIED: Final = Family("handles_died", "Handles released", Merge.COUNTER)
CLOSED: Final = Family("resources_closed", "Resources that a close ended", Merge.COUNTER)
NEVER_CLOSED: Final = Family(
    "resources_never_closed", "Resources dropped without their close", Merge.COUNTER
)
PENDING: Final = Family("closes_pending", "Closes that were asked for and have not run", Merge.SUM)
PENDING_AGE: Final = Family(
    "closes_pending_age", "Age of the oldest pending close", Merge.MAX, unit="seconds"
)
FINDINGS: Final = Family("findings", "Suspects that a rule found", Merge.SUM, RULE)
SUSPECT_HANDLES: Final = Family(
    "suspect_handles",
    "Handles behind a suspect, by the line that made them",
    Merge.SUM,
    (*RULE, "site"),
)
UNDECIDED: Final = Family(
    "rules_undecided", "Processes of which a rule cannot say yet", Merge.SUM, (*PROCESS, "rule")
)
PROCESSES: Final = Family("processes", "Processes with an agent", Merge.SUM, (*PROCESS, "state"))
ENDED: Final = Family(
    "processes_ended",
    "Processes that ended while they were followed",
    Merge.COUNTER,
    (*PROCESS, "ending"),
)
ENDINGS: Final = ("exited", "killed", "agent left")
"""Values of the label ``ending``; each is exposed from 0 on, or its first process would show as no
increase."""
LOST: Final = Family(
    "records_lost", "Records that an agent had no room for", Merge.COUNTER, PROCESS
)
UNREADABLE: Final = Family(
    "exporter_segments_unreadable", "Segments that could not be read", Merge.SUM, ()
)
FOLDED: Final = Family(
    "exporter_series_folded",
    "Label sets beyond the limit, whose values are in the set (other)",
    Merge.SUM,
    ("metric",),
)
FORGOTTEN: Final = Family(
    "exporter_series_forgotten",
    "Label sets without a process that made room for new sets",
    Merge.COUNTER,
    (),
)
LOOK_SECS: Final = Family(
    "exporter_look", "Duration of the newest look at all processes", Merge.SUM, (), "seconds"
)
LOOKED_AT: Final = Family(
    "exporter_looked_at", "Time of the newest look, since 1970", Merge.SUM, (), "seconds"
)
PUSHES_FAILED: Final = Family(
    "exporter_pushes_failed", "Pushes that the collector did not take", Merge.COUNTER, ()
)

FAMILIES: Final = (
    LIVE,
    LIVE_MOST,
    BORN,
    DIED,
    CLOSED,
    NEVER_CLOSED,
    PENDING,
    PENDING_AGE,
    FINDINGS,
    SUSPECT_HANDLES,
    UNDECIDED,
    PROCESSES,
    ENDED,
    LOST,
    UNREADABLE,
    FOLDED,
    FORGOTTEN,
    LOOK_SECS,
    LOOKED_AT,
    PUSHES_FAILED,
)
