"""Runs a Python program under the agent: ``python -m inspector.agent.launch [--level LEVEL] [-m] TARGET [ARGS…]``.

What ``arc-inspector run`` starts as its child. The program sees what it would see without us: ``__main__``, ``sys.argv``,
``sys.path[0]``, its own tracebacks and exit status.
"""

from __future__ import annotations

import io
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final

from inspector.agent.process import start
from inspector.errors import InspectorError, UsageError
from inspector.wire.environment import WAIT_VARIABLE

ARCHIVES: Final = (".zip", ".pyz")


class NotStartedError(UsageError):
    """The program cannot be started: its file or module is not there."""


def main(words: list[str], *, failed: Callable[[BaseException], None] = lambda _error: None) -> int:
    """Run what the words name; the exit status when the program does not raise ``SystemExit`` itself.

    ``failed`` is called with an exception that the program does not catch, and with ``NotStartedError``.
    """
    try:
        level, is_module, target, arguments = parse(words)
    except UsageError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        return UsageError.exit_status
    try:
        start(level, program=" ".join([sys.executable, *(["-m"] if is_module else []), target, *arguments]))
    except InspectorError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        wait_for_viewer(published=False)
    else:
        wait_for_viewer(published=True)
    sys.argv = [target, *arguments]
    try:
        run_module(target) if is_module else run_path(Path(target))
    except NotStartedError as error:
        failed(error)
        print(f"arc-inspector: {error}", file=sys.stderr)
        return error.exit_status
    except SystemExit:
        raise
    except KeyboardInterrupt as error:
        failed(error)
        raise
    except BaseException as error:  # reported as the interpreter would
        failed(error)
        error.__traceback__ = _of_program(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def wait_for_viewer(*, published: bool) -> None:
    """Wait until the viewer that started us has attached, if it asked for that and there is something to attach to."""
    descriptor = os.environ.pop(WAIT_VARIABLE, "")
    if descriptor:
        if published:
            os.read(int(descriptor), 1)
        os.close(int(descriptor))


def parse(words: list[str]) -> tuple[str, bool, str, list[str]]:
    """Level, whether the target is a module, target, its arguments. Raises ``UsageError``."""
    level, is_module = "count", False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--level" and rest:
            level = rest.pop(0)
        elif word == "-m" and rest:
            return level, True, rest[0], rest[1:]
        elif word == "--" and rest:
            return level, is_module, rest[0], rest[1:]
        elif word.startswith("-"):
            raise UsageError(f"{word} is not understood: [--level LEVEL] [-m] TARGET [ARGS…]")
        else:
            return level, is_module, word, rest
    raise UsageError("nothing to run: [--level LEVEL] [-m] TARGET [ARGS…]")


def run_module(name: str) -> None:
    """As ``python -m NAME``, in a ``__main__`` that outlives it: what its globals hold lives until the interpreter ends."""
    sys.path[0] = str(Path.cwd())
    main_module = ModuleType("__main__")
    main_module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main_module
    try:
        runpy._run_module_as_main(name)  # type: ignore[attr-defined]  # what the interpreter itself calls
    except SystemExit as error:
        if main_module.__dict__.get("__spec__") is None:  # set just before the module's first line
            raise NotStartedError(str(error.code).removeprefix(f"{sys.executable}: ")) from None
        raise


def run_path(path: Path) -> None:
    """As ``python PATH``: a file in a ``__main__`` of its own that outlives it; a directory or archive by its ``__main__.py``."""
    if path.is_dir() or path.suffix in ARCHIVES:
        sys.path.pop(0)
        try:
            runpy.run_path(str(path), run_name="__main__")
        except ImportError as error:
            if error.__traceback__ is not None and _is_of_runpy(error.__traceback__):
                raise NotStartedError(f"{error}") from None
            raise
        return
    sys.path[0] = str(path.resolve().parent)
    try:
        with io.open_code(str(path.absolute())) as file:
            source = file.read()
    except OSError as error:
        raise NotStartedError(f"{error.strerror}: {path}") from error
    main_module = ModuleType("__main__")
    main_module.__dict__.update(__file__=str(path.absolute()), __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = main_module
    exec(compile(source, str(path.absolute()), "exec", dont_inherit=True), main_module.__dict__)  # noqa: S102 - running the program is the point


def _is_of_runpy(trace: TracebackType) -> bool:
    """Whether an exception was raised by ``runpy`` itself: no line of the program has run."""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return bool(trace.tb_frame.f_globals.get("__name__") == "runpy")


def _of_program(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this module and of ``runpy``."""
    while trace is not None and (trace.tb_frame.f_globals is globals() or trace.tb_frame.f_globals.get("__name__") == "runpy"):
        trace = trace.tb_next
    return trace


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
