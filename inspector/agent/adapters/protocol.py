"""The protocol of an adapter: the hooks of one ecosystem (UniFFI, …) within the agent.

An adapter keeps rows in the handle table for objects that live elsewhere, through ``lib.ai_type``,
``ai_row_add``, ``ai_rows_add``, ``ai_row_address``, ``ai_row_counts`` and ``ai_row_end``. It
changes only parts of the program that ``detach`` restores exactly, and keeps no object alive.

Threads: ``attach`` runs on the thread that starts the agent, so that later objects are seen from
their birth; everything else runs on the agent's worker thread, one call at a time. Each holds the
GIL, so each is short; ``scan`` is cut into slices for that. An adapter's exception is caught,
counted and reported as one line; it never reaches the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from inspector.wire.declarations import Declaration


class CloseVerdict(NamedTuple):
    """The outcome, real or previewed, of a close request."""

    outcome: str
    """``would_close``, ``would_wait``, ``closed``, ``pending``, ``refused`` or ``failed``."""
    reason: str
    """A sentence without a full stop, cause first."""
    holders: tuple[str, ...] = ()
    """Other holders of the object, for the person to read."""


class CloseWish(NamedTuple):
    """How a close is wanted."""

    although_held: bool
    """Also of what others hold."""
    is_preview: bool
    """Only say what it would do."""
    withdraw_after_secs: float | None = None
    """After so long a close that waits for an event loop is withdrawn; ``None``: never."""


class HostedClosing(Protocol):
    """How a class that another adapter follows closes, as a declaration says."""

    @property
    def name(self) -> str:
        """The adapter that follows the class."""

    def __len__(self) -> int:
        """Rows of the class that live."""

    def undo(self) -> None:
        """Take the hooks off; the rows close no longer."""


class ClosingHost(Protocol):
    """An adapter that finds its classes by itself, and takes from a declaration how they close."""

    def opt_in(self, cls: type, declaration: Declaration) -> HostedClosing | None:
        """Have the rows of a class close as declared; ``None``: it does not follow the class.

        Raises ``InspectorError`` when it follows the class and cannot close it in this way.
        """

    def followed(self) -> Sequence[type]:
        """The classes that it follows now."""


class LibraryHost(Protocol):
    """An adapter that follows every class of an extension's library."""

    def opt_in_library(self, path: str) -> HostedClosing:
        """Follow the classes of the library in this file, also classes that come later."""


class Following(NamedTuple):
    """The classes that are followed in this process, and the reasons why other classes are not."""

    classes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """One line for each module or declaration that cannot be followed, cause first."""
    unfollowed: tuple[str, ...] = ()
    """One line for each extension with classes that are not followed."""


class Follower(Protocol):
    """An adapter that has to find classes before it can follow them.

    The own runtime has its hooks built in.
    """

    def following(self) -> Following:
        """The state now. Any thread."""


class HidesConstants(Protocol):
    """An adapter that gives no row to the constants of a library."""

    def constants(self) -> dict[str, int]:
        """Classes whose only objects are constants, each with their number. Any thread."""


class Leaving(Protocol):
    """An adapter that releases the program's objects when the interpreter ends.

    The other adapters keep their hooks: finalisers still run then.
    """

    def leave(self) -> None:
        """On the thread that runs the exit functions, after the last look at the segment.

        Must not raise.
        """


class Settling(Protocol):
    """An adapter that says some things only after more than one look."""

    def settle(self) -> None:
        """Take as many looks as it needs now; the program is about to end. Any thread."""


class CountsFailures(Protocol):
    """An adapter that sees calls of native code into Python objects fail."""

    def failed_callbacks(self) -> list[dict[str, Any]] | None:
        """Each failure, for a viewer; ``None``: none could be seen."""


class AwaitsCloses(Protocol):
    """An adapter whose closes may wait for an event loop of the program."""

    def awaited_closes(self) -> list[list[float | None]]:
        """The closes that viewers asked for and that have not ended, each as ``LoopCall.told``."""

    def take_back(self, row: int) -> str | None:
        """As ``loops.take_back``, for the close of a row that a viewer asked for."""


class SeesClosedUses(Protocol):
    """An adapter that sees uses of objects after their close."""

    def closed_uses(self) -> list[dict[str, Any]]:
        """Each as ``ClosedUses.told``, for a viewer."""


class HooksDestructors(Protocol):
    """An adapter that replaces the destructors of classes."""

    def destructors(self) -> list[tuple[int, int]]:
        """Address of each such class, and of its own destructor, for a viewer."""


class FindsCloses(Protocol):
    """An adapter that finds closing methods which ran before it followed their class."""

    def closes_under_way(self) -> list[list[int | str]]:
        """Row and thread's name of each such method that runs now, for a viewer."""

    def parts_waited_for(self) -> list[dict[str, Any]]:
        """The open parts that closing methods wait for, for a viewer.

        Each has the row that closes (``handle``), the parts' name (``part``), their ``count``, the
        row of the ``first`` one, and its ``holders``.
        """


class Adapter(Protocol):
    """The hooks of one ecosystem. Made without arguments; attached and detached at most once."""

    @property
    def name(self) -> str:
        """Short and lower-case: ``uniffi``."""

    def attach(self) -> None:
        """Set the hooks. Quick: it delays the start of the program; looks at no object."""

    def detach(self) -> None:
        """Undo the hooks and clear the adapter's rows.

        The program's attributes are identical to before.
        """

    def scan(self) -> Iterator[int]:
        """Find the live objects, including objects older than ``attach``.

        A generator: each step holds the GIL for 5 ms at most and yields the number of rows found so
        far; between steps the worker lets other threads run. May be abandoned half-way, and started
        again.
        """

    def poll(self) -> None:
        """Look for new modules and for objects that went without a word.

        Every 250 ms or so, well under 1 ms.
        """

    def owns(self, row: int) -> bool:
        """Whether this adapter keeps the row."""

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        """Close the resource behind a row; with ``preview`` only give the outcome.

        A close that waits for the program's event loop is withdrawn when it has not ended in
        ``withdraw_after_secs``.
        """

    def referrers(self, row: int) -> Sequence[str]:
        """The Python objects that hold the row's proxy, in short sentences.

        The tool's own left out.
        """
