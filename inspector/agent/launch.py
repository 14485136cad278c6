"""Runs a Python program under the agent.

``python …/_arc_inspector.py inspector.agent.launch [--level LEVEL] PROGRAM [ARGS…]``

``arc-inspector run`` starts it as its child. PROGRAM is a path, ``-m MODULE``, ``-c CODE`` or ``-``
for standard input. The program sees the same as without us: ``__main__``, ``sys.argv``,
``sys.path[0]``, its own tracebacks and exit status.
"""

from __future__ import annotations

import builtins
import io
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final, NamedTuple

from inspector.agent.process import start
from inspector.errors import InspectorError, UsageError
from inspector.wire.environment import WAIT_VARIABLE

FORM: Final = "[--level LEVEL] [-m | -c | --] TARGET [ARGS…]"
WITH_TARGET: Final = ("-m", "-c", "--")
PYC_HEADER_BYTES: Final = 16


class NotStartedError(UsageError):
    """The program cannot be started: its file or module is not there."""


class Program(NamedTuple):
    """A Python program, as the words after an interpreter's options name it."""

    kind: str
    """``-m``, ``-c``, ``-`` or ``--``."""
    target: str
    """Module, code, ``-`` or path."""
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command line to show."""
        return " ".join(
            [
                sys.executable,
                *([self.kind] if self.kind in ("-m", "-c") else []),
                self.target,
                *self.arguments,
            ]
        )


def main(words: list[str], *, failed: Callable[[BaseException], None] = lambda _error: None) -> int:
    """Run the named program; the exit status when the program does not raise ``SystemExit`` itself.

    ``failed`` is called with an exception that the program does not catch, and with
    ``NotStartedError``.
    """
    try:
        level, program = parse(words)
    except UsageError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        return UsageError.exit_status
    try:
        start(level, program=program.command)
    except InspectorError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        wait_for_viewer(published=False)
    else:
        wait_for_viewer(published=True)
    try:
        run(program)
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
    """Wait until the viewer that started this process has attached.

    Only if the viewer asked for that, and there is something to attach to.
    """
    descriptor = os.environ.pop(WAIT_VARIABLE, "")
    if descriptor:
        if published:
            os.read(int(descriptor), 1)
        os.close(int(descriptor))


def parse(words: list[str]) -> tuple[str, Program]:
    """Level and program. Raises ``UsageError``."""
    level = "count"
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--level" and rest:
            level = rest.pop(0)
        elif word in WITH_TARGET and rest:
            return level, Program(word, rest[0], tuple(rest[1:]))
        elif word.startswith("-") and word != "-":
            raise UsageError(f"{word} is not understood: {FORM}")
        else:
            return level, Program("-" if word == "-" else "--", word, tuple(rest))
    raise UsageError(f"nothing to run: {FORM}")


def run(program: Program) -> None:
    """Run a program as the interpreter would.

    Raises ``NotStartedError``, and the program's own exceptions.
    """
    sys.argv = ["-c" if program.kind == "-c" else program.target, *program.arguments]
    if program.kind == "-m":
        _put_first(str(Path.cwd()))
        _run_module(program.target)
    elif program.kind == "--":
        _run_path(Path(program.target))
    else:
        _put_first("")
        is_code = program.kind == "-c"
        _run_source(
            program.target if is_code else sys.stdin.read(), "<string>" if is_code else "<stdin>"
        )


def _put_first(folder: str) -> None:
    """Let the program find the modules beside it, unless an option forbids it.

    The interpreter does the same.
    """
    if not sys.flags.safe_path:
        sys.path.insert(0, folder)


def _new_main(**names: Any) -> ModuleType:
    """A ``__main__`` of the program's own.

    It outlives the program: its globals live until the interpreter ends.
    """
    main_module = ModuleType("__main__")
    main_module.__dict__.update(__builtins__=builtins, **names)
    sys.modules["__main__"] = main_module
    return main_module


def _run_module(name: str) -> None:
    """As ``python -m NAME``; with ``__main__`` the module in the first place on the path."""
    main_module = _new_main()
    # as the interpreter does now: its imports may be modules of the program
    runpy = builtins.__import__("runpy")
    try:
        # the function that the interpreter itself calls
        runpy._run_module_as_main(name, name != "__main__")
    except SystemExit as error:
        if main_module.__dict__.get("__spec__") is None:  # set just before the module's first line
            raise NotStartedError(str(error.code).removeprefix(f"{sys.executable}: ")) from None
        raise


def _run_path(path: Path) -> None:
    """As ``python PATH``: source, byte-code, or a directory or archive with a ``__main__.py``."""
    if _is_place_of_modules(str(path)):
        sys.path.insert(0, str(path))
        _run_module("__main__")
        return
    try:
        with io.open_code(str(path.absolute())) as file:
            content = file.read()
    except OSError as error:
        raise NotStartedError(f"{error.strerror}: {path}") from error
    if content.startswith(b"\x7fELF"):
        raise NotStartedError(f"a native program and no Python script: {path}")
    _put_first(str(path.resolve().parent))
    file_name = str(path.absolute())
    is_byte_code = content.startswith(MAGIC_NUMBER)
    program = content
    if is_byte_code:
        program = marshal.loads(content[PYC_HEADER_BYTES:])  # noqa: S302 - the program
    _run_source(program, file_name, file_name)


def _is_place_of_modules(path: str) -> bool:
    """Whether modules can be imported from there: a directory, an archive."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _run_source(source: str | bytes | CodeType, shown: str, file: str | None = None) -> None:
    """Source or code in a ``__main__`` of its own."""
    names = (
        {}
        if file is None
        else {
            "__file__": file,
            "__cached__": None,
            "__loader__": SourceFileLoader("__main__", file),
        }
    )
    scope = _new_main(**names).__dict__
    exec(  # noqa: S102 - the point
        source
        if isinstance(source, CodeType)
        else compile(source, shown, "exec", dont_inherit=True),
        scope,
    )


def _of_program(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this module and of ``runpy``."""
    while trace is not None and (
        trace.tb_frame.f_globals is globals() or trace.tb_frame.f_globals.get("__name__") == "runpy"
    ):
        trace = trace.tb_next
    return trace


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the entry of -m
    sys.exit(main(sys.argv[1:]))
