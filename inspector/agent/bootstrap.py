"""Brings the agent into an unprepared process.

Its text is run in the target, by injection or by ``sys.remote_exec``.

It finds ``HERE`` among its globals: the path of itself, beside which everything lies that it needs;
and ``OWN_THREAD``, true when the thread that runs it was started for it. It needs nothing of the
target but modules that are built into every interpreter: the program may have been packed without
the rest, hide or replace it. The agent's modules are imported from memory, all of them at once,
into a world of their own (``_arc_inspector``); afterwards no file is needed any more. The outcome
is written to ``result``. No failure here reaches the program.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False  # typing may not be there
if TYPE_CHECKING:
    from typing import Any

PACKAGE = "inspector"
ALIAS = "_arc_inspector"
FUTURE = 0x1000000
"""``annotations.compiler_flag`` of ``__future__``, of every interpreter that is supported: there
may be no such module."""
STACK_BYTES = 2 << 20


def arrive(place: str) -> None:
    """Start the agent and write down how that went.

    On a thread of its own, with a stack of some size.
    """
    folder = os.path.dirname(place)  # noqa: PTH120 - pathlib may not be there
    try:
        os.close(os.open(f"{folder}/begun", os.O_WRONLY | os.O_CREAT, 0o600))
        result = f"ok\n{started(folder, read(folder, 'request'))}"
    except BaseException as error:
        text = " ".join(f"{error}".split())
        is_ours = any("InspectorError" in each.__name__ for each in type(error).__mro__)
        kind = type(error).__name__
        told = text if is_ours else f"{kind}: {text}" if text else kind
        result = f"error\n{told}"
    write(folder, result)


def write(folder: str, result: str) -> None:
    """Leave the outcome for the injector."""
    try:
        file = os.open(f"{folder}/result.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, result.encode("utf-8", "surrogateescape"))
        finally:
            os.close(file)
        os.rename(f"{folder}/result.new", f"{folder}/result")  # noqa: PTH104 - as above
    except OSError:
        pass  # the injector has given up and taken the folder away


def read(folder: str, name: str) -> Any:
    """A file that the injector wrote."""
    file = os.open(f"{folder}/{name}", os.O_RDONLY)
    try:
        content = bytearray()
        while part := os.read(file, 1 << 20):
            content += part
    finally:
        os.close(file)
    return marshal.loads(content)  # noqa: S302 - written by the one who made us run


def started(folder: str, request: dict[str, Any]) -> str:
    """The path of the segment, once the agent runs."""
    world: Any = getattr(sys.modules.get(ALIAS), "WORLD", None) or load(folder, request)
    try:
        process = world.import_own(f"{PACKAGE}.agent.process")
        return str(process.start_brought(request["level"], request["leaves_after_secs"]))
    finally:
        own = world.own_root()
        world.brought = {
            name: each
            for name, each in world.brought.items()
            if f"{own}.{name}" not in sys.modules  # names for the program, should it import them
        }
        world.copies = {}


def load(folder: str, request: dict[str, Any]) -> Any:
    """Import all of the agent's modules from the brought files."""
    modules = compiled(folder) or read(folder, "modules")
    modules["_native"] = f"{folder}/_native.abi3.so", None
    root: Any = type(sys)("_arc_inspector_brought")
    code = compile(request["loader"], request["loader_path"], "exec", FUTURE, dont_inherit=True)
    exec(code, root.__dict__)  # noqa: S102 - this is what importing is
    root.__file__ = request["loader_path"]
    before = set(sys.modules)
    world = root.set_up(root, request["folder"], modules, read(folder, "copies"))
    try:
        world.backends = folder
        for name in request["imports"]:
            world.import_own(name)
    except BaseException:
        for name in [each for each in sys.modules if each not in before and each.startswith(ALIAS)]:
            del sys.modules[name]
        world.forget()
        raise
    return world


def compiled(folder: str) -> Any:
    """Modules that the viewer compiled, when its interpreter is of our kind.

    ``None``: it is not.
    """
    magic = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER.hex()
    try:
        return read(folder, f"modules-{magic}")
    except OSError:
        return None


def thread_module() -> Any:
    """The interpreter's own module that starts threads.

    gevent and similar libraries replace it with modules that never run the agent's thread.
    """
    bootstrap = sys.modules["_frozen_importlib"]
    module: Any = sys.modules.get("_thread")
    if module is None or type(module.start_new_thread) is not type(print):
        spec = bootstrap.ModuleSpec("_thread", bootstrap.BuiltinImporter, origin="built-in")
        module = bootstrap.BuiltinImporter.create_module(spec)
        bootstrap.BuiltinImporter.exec_module(module)
    return module


def start_thread(place: str) -> None:
    """``arrive`` on a new thread, when a thread of the program runs this.

    The program may have small stacks set, and keeps them.
    """
    threads = thread_module()
    before = threads.stack_size(STACK_BYTES)
    try:
        threads.start_new_thread(arrive, (place,))
    finally:
        threads.stack_size(before)


if "HERE" in globals():
    (arrive if globals().get("OWN_THREAD") else start_thread)(globals()["HERE"])
