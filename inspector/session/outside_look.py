"""One look from outside in the words of the model: counts, stacks, losses and notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import Effort
from inspector.attach.outside.seen import Look, SeenFrame, SeenThread
from inspector.model.counts import UNSAMPLED, objects_of
from inspector.model.snapshot import UNKNOWN, Lost
from inspector.model.stacks import Frame, ThreadStack
from inspector.vocabulary import kind_named

MIB: Final = 1 << 20


def single_counts(look: Look) -> dict[str, npt.NDArray[np.int64]]:
    """The counts of a look's rows as if each were its object's only handle.

    The look's own handles are taken off.
    """
    rows = look.rows
    kinds = [look.types[kind] for kind in range(len(look.types))]
    is_call = (
        np.array([kind_named(kind.kind).is_call for kind in kinds], np.bool_)[rows.types]
        if kinds
        else np.empty(0, np.bool_)
    )
    counted = rows.outer != UNKNOWN
    objects = objects_of(rows.addresses, np.ones(len(rows), np.bool_))
    _, first, place, pointing = np.unique(
        rows.handles, return_index=True, return_inverse=True, return_counts=True
    )
    is_first = np.zeros(len(rows), np.bool_)
    is_first[first] = True
    holding = objects.spread(((~counted & ~is_call) | (counted & is_first)).astype(np.int64))
    return {
        "strong": np.where(rows.strong == UNKNOWN, UNSAMPLED, rows.strong - holding + 1),
        "weak": rows.weak,
        "outer": np.where(counted, rows.outer - pointing[place] + 1, UNSAMPLED),
        "in_flight": rows.in_flight,
        "moving": rows.moving.astype(np.int64),
    }


def stacks_of(threads: Iterable[SeenThread]) -> tuple[ThreadStack, ...]:
    """The threads' stacks, as the model has them."""
    return tuple(
        ThreadStack(
            tid=seen.tid,
            name=seen.name,
            doing=seen.waits,
            frames=frames_of(seen.stack),
            holds_gil=seen.holds_gil,
        )
        for seen in threads
    )


def frames_of(stack: Iterable[SeenFrame]) -> tuple[Frame, ...]:
    """Lines of a stack, as the model has them."""
    return tuple(Frame(each.function, each.file, each.line) for each in stack)


def lost_of(effort: Effort, doubtful: int) -> Lost:
    """The omissions of a look."""
    mib = {
        "outside_swapped_mib": effort.swapped_bytes,
        "outside_unread_mib": effort.unreadable_bytes,
        "outside_left_out_mib": effort.left_out_bytes,
    }
    return Lost(
        {"outside_doubtful": doubtful, "outside_hits": effort.left_out_hits}
        | {name: -(-size // MIB) for name, size in mib.items()}
    )


def notes_of(look: Look) -> tuple[str, ...]:
    """Sentences on the parts of the process that the look left out."""
    more = f"{look.more_threads:,} more threads are not listed" if look.more_threads else ""
    without = (
        (
            f"{look.without_handle:,} proxies keep no handle: made just now, or their "
            "constructor failed"
        )
        if look.without_handle
        else ""
    )
    return tuple(note for note in (*look.notes, more, without) if note)
