"""Attribute paths and conditions of a declaration.

They are a small language of its own, so that nothing of it is ever evaluated as code.

``_handle.value``, ``fileno()`` are paths; ``closed``, ``not is_open()``, ``_handle is None``,
``fileno() == -1`` and ``total_changes raises`` are conditions. Parsing is pure; reading runs the
attributes that the path names, no more.
"""

from __future__ import annotations

import keyword
import re
from typing import Any, Final, NamedTuple, Self

from inspector.errors import UsageError

MAX_STEPS: Final = 8
MAX_CHARS: Final = 200
_STEP: Final = r"([^\W\d]\w*)(\(\))?"
_CONDITION: Final = (
    r"(?P<negated>not\s+)?(?P<path>\S+?)"
    r"(?:\s+(?:(?P<none>is\s+None)|(?P<raises>raises)|==\s*(?P<number>-?\d{1,20})))?"
)


class Path(NamedTuple):
    """Attributes one after the other, each read or called without arguments."""

    steps: tuple[tuple[str, bool], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """``a._b.c()``. Raises ``UsageError``."""
        matches = [re.fullmatch(_STEP, step) for step in text.split(".")]
        steps = tuple((match[1], match[2] is not None) for match in matches if match is not None)
        if (
            any(keyword.iskeyword(name) for name, _ in steps)
            or len(text) > MAX_CHARS
            or len(steps) != len(matches)
            or len(steps) > MAX_STEPS
        ):
            raise UsageError(
                f"not a path of attributes such as _handle.value or fileno(): {text[:MAX_CHARS]!r}"
            )
        return cls(steps)

    def read(self, thing: Any) -> Any:
        """The value at the end; ``None`` as soon as a step is ``None``.

        Raises the exceptions of the attributes.
        """
        for name, is_called in self.steps:
            if thing is None:
                return None
            thing = getattr(thing, name)
            if is_called:
                thing = thing()
        return thing


class Condition(NamedTuple):
    """Whether a proxy's handle is released, as its attributes show it."""

    path: Path
    test: str
    """``true``, ``false``, ``none``, ``equals`` or ``raises``."""
    number: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """A condition in a form described above. Raises ``UsageError``."""
        match = re.fullmatch(_CONDITION, text.strip()) if len(text) <= MAX_CHARS else None
        if match is None:
            raise UsageError(
                "not a condition such as closed, not is_open(), fd == -1, _handle "
                f"is None, fd raises: {text[:MAX_CHARS]!r}"
            )
        kinds = {"none": match["none"], "raises": match["raises"], "equals": match["number"]}
        test = next((name for name, found in kinds.items() if found is not None), "true")
        if match["negated"] is not None:
            if test != "true":
                raise UsageError(f"not goes with a path alone: {text[:MAX_CHARS]!r}")
            test = "false"
        return cls(Path.parse(match["path"]), test, int(match["number"] or 0))

    def holds(self, thing: Any) -> bool:
        """Whether it is so now.

        Raises the exceptions of the attributes, unless the condition asks for them.
        """
        if self.test == "raises":
            try:
                self.path.read(thing)
            except Exception:  # that it raises is the answer
                return True
            return False
        value = self.path.read(thing)
        if self.test == "none":
            return value is None
        if self.test == "equals":
            return type(value) is int and value == self.number
        return bool(value) == (self.test == "true")
