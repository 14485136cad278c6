"""Holders that only the target's memory tells, beside the answer of its collector.

The target is not asked: its memory is read from outside. Any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from inspector.attach.outside.memory import OutsideMemory
from inspector.attach.outside.memory_holders import HolderSearch, MemoryHolder, MemoryHolders
from inspector.attach.outside.python import find_python
from inspector.attach.outside.surroundings import Around, Surroundings
from inspector.errors import AttachError
from inspector.model.holders import CycleReport, Retainers, UnseenHolder
from inspector.model.snapshot import Snapshot
from inspector.model.wording import plural
from inspector.plain_text import printable
from inspector.session.holder_answers import cycles_in, own_destructors_in, retainers_in
from inspector.session.native_edges import held_objects
from inspector.session.questions import Questions
from inspector.session.searching import Search

OWN: Final = ("inspector.", "_arc_inspector", "arc_inspector", "_native.abi3", "_quiet", "ai-")
"""Names of our own classes, libraries and threads in a target begin so."""
MOST_UNSEEN: Final = 20
MOST_TOPS: Final = 4
"""Paths without a root that are followed on."""


class GivenUpError(AttachError):
    """The person gave the search up."""


def retainers_of(target: Questions, handle: int, search: Search) -> Retainers:
    """The target's answer about the holders of a proxy, and the holders in memory."""
    return with_memory(target.pid, retainers_in(target.search("retainers", handle, search)), search)


def cycles_of(
    target: Questions, latest: Snapshot | None, handle: int, search: Search
) -> CycleReport:
    """The target's answer, given the edges that destructors of native objects tell."""
    held: tuple[tuple[int, ...], ...] = ()
    note = ""
    if latest is not None:
        own = own_destructors_in(target.ask("adapters"))
        held, note = native_edges(target.pid, latest, own, search)
    report = cycles_in(target.search("cycles", handle, search, held=held))
    return replace(report, edges_note=note)


def native_edges(
    pid: int, snapshot: Snapshot, own_destructors: Mapping[int, int], search: Search
) -> tuple[tuple[tuple[int, ...], ...], str]:
    """Lines of native objects and the objects that they hold, and the extent as a sentence."""
    try:
        found = held_objects(pid, snapshot, own_destructors, _going_on(search))
    except AttachError as error:
        return (), f"the destructors of native objects could not be tried: {error}"
    return found.lines, found.note()


def _going_on(search: Search) -> Callable[[], None]:
    """A function that raises once the search is given up."""

    def go_on() -> None:
        if search.is_given_up:
            raise GivenUpError("given up")

    return go_on


def with_memory(pid: int, found: Retainers, search: Search) -> Retainers:
    """The answer with the holders that the collector does not tell.

    Memory is searched only where Python's own answer leaves a reference or a root open.
    """
    if found.is_explained or not found.address:
        return found

    try:
        unseen, seen = _search(pid, found, _going_on(search))
    except AttachError as error:
        return replace(found, memory_note=f"its memory could not be searched: {error}")
    return replace(found, unseen=unseen[:MOST_UNSEEN], memory_note=_extent(unseen, seen))


def _search(
    pid: int, found: Retainers, go_on: Callable[[], None]
) -> tuple[tuple[UnseenHolder, ...], Sequence[MemoryHolders]]:
    """Unseen holders of the proxy, and of the last holders of the paths without a root."""
    memory = OutsideMemory(pid)
    search = HolderSearch(memory, Surroundings(memory, find_python(pid)), go_on)
    asked = {path.top: path.steps[0].text for path in found.paths if path.top and path.steps}
    wanted = list(asked.items())[:MOST_TOPS]
    if found.known_references < found.references or not wanted:
        wanted.insert(0, (found.address, ""))
    unseen, seen = [], []
    for place, text in wanted:
        seen.append(search.holders_of(place))
        certain = (each for each in seen[-1].unseen() if _is_told(each))
        unseen += [_told(each, text, found.address) for each in certain]
    return tuple(unseen), seen


def _extent(unseen: Sequence[UnseenHolder], seen: Sequence[MemoryHolders]) -> str:
    """The extent of the searches, in one sentence."""
    searched = seen[-1].read_bytes >> 20
    note = f"{searched:,} MiB of memory were searched for holders that the collector does not know"
    note += "" if unseen else ": none was found"
    more = len(unseen) - MOST_UNSEEN
    note += f"; {more:,} more are not told" if more > 0 else ""
    doubtful = sum(each.kind is Around.UNKNOWN for some in seen for each in some.holders)
    if doubtful:
        note += f"; {plural(doubtful, 'place')} of unknown kind may hold it, or be remains"
    return note + ("; the search ended at its limit" if any(each.is_cut for each in seen) else "")


def _told(holder: MemoryHolder, held: str, proxy: int) -> UnseenHolder:
    name = printable(holder.name)
    text = {
        Around.OBJECT: f"{name} at {holder.address:#x}",
        Around.STATIC: f"static data of {name}",
        Around.STACK: f"the stack of thread {name}",
    }[holder.kind]
    if holder.address == proxy:
        text = f"the object itself, {text}"
    return UnseenHolder(text, holder.address, holder.words, holder.steps, holder.is_certain, held)


def _is_told(holder: MemoryHolder) -> bool:
    """Whether a holder is told by itself.

    Ours are not: the inspector's tables name every object that has a row.
    """
    return holder.kind is not Around.UNKNOWN and not holder.name.startswith(OWN)
