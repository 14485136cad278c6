"""Sets attributes of the program's classes and modules, and restores the original objects.

If another library has set another function over a hook meanwhile, that function stays, and the hook
under it only passes calls on.
"""

from __future__ import annotations

from typing import Any, Final

ABSENT: Final = object()
"""Stands for an attribute that its owner did not have itself."""


class Replaced:
    """Attributes of classes and modules that were replaced."""

    def __init__(self) -> None:
        """None yet."""
        self._replaced: list[tuple[Any, str, object, object]] = []

    def replace(self, owner: Any, name: str, hook: object) -> None:
        """Set an attribute.

        Raises ``TypeError`` or ``AttributeError`` where that is impossible, and then nothing is
        changed.
        """
        before = vars(owner).get(name, ABSENT)
        setattr(owner, name, hook)
        self._replaced.append((owner, name, before, hook))

    def undo(self) -> None:
        """Restore the originals, newest first; a foreign function over a hook stays."""
        while self._replaced:
            owner, name, before, hook = self._replaced.pop()
            if vars(owner).get(name, ABSENT) is not hook:
                continue
            if before is ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
