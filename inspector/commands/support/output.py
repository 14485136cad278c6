"""How commands print.

Lines and tables are for people, one JSON object is for scripts, an error is one line.

All output of commands goes through here, so that no text of a target, a file or the system drives
the terminal.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from inspector.errors import InspectorError
from inspector.plain_text import one_line, printable

SCHEMA: Final = 1
"""Version of the JSON that commands print; it grows when a value changes or goes."""
_CONTROL_OF_ASCII: Final = "\x7f"
"""The one control character that ``json`` writes as it is."""
_CLEAR_LINE: Final = "\r\x1b[K"


class OutputClosedError(Exception):
    """The reader of our output has ended, as ``head`` does: nothing is left to do.

    No fault, so no ``InspectorError``.
    """


def prepare_streams() -> None:
    """Make the standard streams take any text. Call once, first.

    A character that the locale cannot write is replaced.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller closed it
            setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(line: str = "") -> None:
    """One line on stdout.

    Raises ``OutputClosedError``, and ``InspectorError`` when it cannot be written.
    """
    write_text(f"{printable(line)}\n")


def say_aside(line: str) -> None:
    """One line on stderr, for people beside a program's own output."""
    _write_aside(f"{printable(line)}\n")


def draw_aside(line: str) -> None:
    """Replace the line of progress on stderr, if a person sees it; ``""`` takes it away."""
    if sys.stderr.isatty():
        _write_aside(f"{_CLEAR_LINE}{printable(line)}")


def ask_aside(question: str) -> None:
    """A question on stderr, the answer follows on its line."""
    _write_aside(f"{printable(question)} ")


def print_error(message: str) -> None:
    """One line on stderr."""
    _write_aside(f"arc-inspector: {one_line(message)}\n")


def print_json(value: Mapping[str, Any]) -> None:
    """One object on stdout, with the version of its schema. Raises as ``say``."""
    write_text(json_text({"schema": SCHEMA, **value}))


def json_text(value: Mapping[str, Any]) -> str:
    """One object as lines of printable ASCII; numbers that JSON has not are ``null``."""
    try:
        text = json.dumps(value, indent=2, allow_nan=False)
    except ValueError:
        text = json.dumps(_with_nulls(value), indent=2, allow_nan=False)
    return text.replace(_CONTROL_OF_ASCII, "\\u007f") + "\n"


def write_text(text: str) -> None:
    """Text that is printable already, on stdout. Raises as ``say``."""
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise OutputClosedError from None
    except OSError as error:
        raise _unwritten(error) from error


def flush_output() -> None:
    """Hand over all that was written. Raises as ``say``."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosedError from None
    except OSError as error:
        raise _unwritten(error) from error


def abandon_output() -> None:
    """Leave nothing for the interpreter to flush at its end.

    The reader of our output has ended, or cannot take it.
    """
    with suppress(OSError, ValueError):
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)


def _with_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _with_nulls(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_nulls(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _unwritten(error: OSError) -> InspectorError:
    return InspectorError(f"the output cannot be written: {error.strerror or error}")


def _write_aside(text: str) -> None:
    """On stderr; a reader that has ended misses it."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
