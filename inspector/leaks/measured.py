"""How much of a run was measured: without that, no leak found is no news. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

NOTHING_FOLLOWED: Final = "nothing was followed, so nothing can be said of its handles"
MOST_TOLD: Final = 5
"""Extensions that a report names; more are counted."""
ADVICE: Final = "declare the classes that hold native objects: see docs/adapters.md"


@dataclass(frozen=True, slots=True)
class Measured:
    """The classes that an agent followed."""

    followed: int = 0
    """Classes."""
    refused: tuple[str, ...] = ()
    """One line for each declaration or module that could not be followed, cause first."""
    unfollowed: tuple[str, ...] = ()
    """One line for each extension with classes that nobody follows."""

    @property
    def trouble(self) -> str:
        """Why the absence of leaks says nothing; ``""`` when it does."""
        if not self.followed:
            return NOTHING_FOLLOWED if self.refused else f"{NOTHING_FOLLOWED}; {ADVICE}"
        count = len(self.refused)
        text = (
            "1 declaration or module could"
            if count == 1
            else (f"{count:,} declarations or modules could")
        )
        return f"{text} not be followed, so nothing can be said of their handles" if count else ""

    def lines(self) -> list[str]:
        """One for each refusal, and for each extension that nobody follows."""
        left = len(self.unfollowed) - MOST_TOLD
        more = [f"not followed: {left:,} more libraries"] if left > 0 else []
        return [
            *(f"not followed: {each}" for each in (*self.refused, *self.unfollowed[:MOST_TOLD])),
            *more,
        ]

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "followed": self.followed,
            "refused": list(self.refused),
            "unfollowed": list(self.unfollowed),
        }


NOTHING: Final = Measured()


def measured_of(value: Mapping[str, Any]) -> Measured:
    """The figures in the output of ``value``.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else.
    """
    return Measured(
        int(value["followed"]),
        tuple(str(each) for each in value["refused"]),
        tuple(str(each) for each in value.get("unfollowed", ())),
    )


def together(parts: Iterable[Measured]) -> Measured:
    """The parts of one run: each worker follows the same classes or fewer."""
    all_parts = tuple(parts)
    refused = dict.fromkeys(each for part in all_parts for each in part.refused)
    unfollowed = dict.fromkeys(each for part in all_parts for each in part.unfollowed)
    followed = max((part.followed for part in all_parts), default=0)
    return Measured(followed, tuple(refused), tuple(unfollowed))
