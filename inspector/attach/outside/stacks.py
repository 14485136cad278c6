"""Reads the Python stacks of one process and prints them as JSON.

It runs as a process of its own, which ``threads`` starts.

Nothing is stopped: a thread that runs meanwhile may be seen between two moments, or not at all.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from inspector.attach.outside.threads import LONGEST_NAME, MOST_FRAMES, MOST_THREADS
from inspector.wire.uniffi import CALL_STATUS, LIBRARY_CALLS, SHAPES, SYNCHRONOUS_CALLS

PLACE: Final = re.compile(r"<(.{1,200}) at 0x([0-9a-f]{1,16})>")
LEFT_OUT: Final = {name for shape in SHAPES for name in (shape.make_name, shape.clone_name)}
"""Generated methods that no program calls."""
LOOKS: Final = 9
LOOKING_SECS: Final = 1.5
"""Processor time after which no further look begins: of some interpreters one takes half a second.
"""
MOST_SECS: Final = 10
"""Processor time after which the process is killed: broken memory may be read without end."""
PAUSE_SECS: Final = 0.003
"""The process runs on meanwhile: at some moments its frames, or those of one thread, make no sense.
One look takes little."""


def main(arguments: Sequence[str]) -> int:
    """Print the stacks as JSON, frames innermost first.

    ``{"threads": [{"tid", "gil", "frames": [[function, file, line]], "calls"}], "error"}``
    """
    seen: dict[int, list[dict[str, Any]]] = {}
    error = ""
    last_at = time.process_time() + LOOKING_SECS
    for _ in range(LOOKS):
        if seen and time.process_time() > last_at:
            break
        try:
            for thread in seen_threads(int(arguments[0])):
                seen.setdefault(thread["tid"], []).append(thread)
        except UnicodeDecodeError:  # a string of the program that is being made or freed
            error = "the program changed its memory at each look"
        # a foreign library over another process's memory: any failure is reported
        except Exception as failure:
            error = str(failure) or type(failure).__name__
        time.sleep(PAUSE_SECS)
    threads = {tid: _likeliest(found) for tid, found in seen.items()}
    if any(
        scope in LIBRARY_CALLS for thread in threads.values() for scope, _, _ in thread["frames"]
    ):
        threads |= _callers(int(arguments[0]))
    json.dump({"threads": list(threads.values()), "error": "" if seen else error}, sys.stdout)
    return 0


def _callers(pid: int) -> dict[int, dict[str, Any]]:
    """The threads that call a library now, each with its calls.

    Takes much longer than a look at the stacks alone.
    """
    try:
        return {
            thread["tid"]: thread
            for thread in seen_threads(pid, with_calls=True)
            if thread["calls"]
        }
    except Exception:  # as before: the stacks are shown without
        return {}


def _likeliest(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The newest stack of a thread among stacks with the usual outermost frame."""
    whole = [thread for thread in found if thread["frames"]] or list(found)
    roots = Counter(str(thread["frames"][-1:]) for thread in whole)
    return next(
        thread
        for thread in reversed(whole)
        if str(thread["frames"][-1:]) == roots.most_common(1)[0][0]
    )


def seen_threads(pid: int, *, with_calls: bool = False) -> Iterator[dict[str, Any]]:
    """One look at the threads of a process, which goes on running.

    Each thread has its stack and, on request, its calls of a library.
    """
    from pystack.engine import NativeReportingMode, StackMethod, get_process_threads

    found = get_process_threads(
        pid,
        stop_process=False,
        native_mode=NativeReportingMode.OFF,
        method=StackMethod.AUTO,
        locals=with_calls,
    )
    for thread, _ in zip(found, range(MOST_THREADS), strict=False):
        innermost = list(thread.frames)[::-1][:MOST_FRAMES]
        frames = [
            [
                frame.code.scope[:LONGEST_NAME],
                frame.code.filename[:4096],
                frame.code.location.lineno,
            ]
            for frame in innermost
        ]
        calls = list(running_calls(innermost)) if with_calls else []
        yield {
            "tid": thread.tid,
            "gil": thread.holds_the_gil == 1,
            "frames": frames,
            "calls": calls,
        }


def running_calls(frames: Sequence[Any]) -> Iterator[list[Any]]:
    """Calls of generated methods among frames, innermost first.

    ``[status, method, depth, own, [argument]]``, objects by their places.

    Only the places of frames are shown.
    """
    for at, frame in enumerate(frames):
        if frame.code.scope not in LIBRARY_CALLS:
            continue
        file, method = frame.code.filename, at + 1
        while method < len(frames) and frames[method].code.scope in SYNCHRONOUS_CALLS:
            method += 1
        if method == len(frames) or frames[method].code.filename != file:
            continue
        given = {name: _place(text) for name, text in frames[method].arguments.items()}
        kind, own = given.pop("self", ("", 0))
        name = f"{kind}.{frames[method].code.scope}" if own else frames[method].code.scope
        if not name.startswith("_") and frames[method].code.scope not in LEFT_OUT:
            _, status = _place({**frame.arguments, **frame.locals}.get(CALL_STATUS))
            yield [
                status,
                name[:LONGEST_NAME],
                method + 1,
                own,
                [place for _, place in given.values() if place],
            ]


def _place(shown: str | None) -> tuple[str, int]:
    """Class and place of a thing, of ``<Wallet at 0x7fd6bcbc8e10>``; 0 for any other form."""
    found = PLACE.fullmatch(shown or "")
    return (found[1], int(found[2], 16)) if found else ("", 0)


if __name__ == "__main__":
    import resource  # this program runs on Linux alone

    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECS, MOST_SECS))
    sys.exit(main(sys.argv[1:]))
