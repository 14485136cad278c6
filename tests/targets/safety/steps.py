"""Moments at which a program of the safety set stands still and is looked at.

A program calls ``moment("before")``, ``moment("during")`` and ``moment("after")``, with ``work(…)``
in between, and may have moments of other names, in children too. Two FIFOs lead to the harness;
both are closed again when the program runs on, which has no descriptor of it. The module uses the
standard library alone: a program that is looked at depends on nothing of the inspector.
"""

import atexit
import builtins
import gc
import json
import locale
import os
import signal
import sys
import threading
import time
import warnings

FOLDER = os.environ["SAFETY_FOLDER"]
"""The folder of this run: the FIFOs, and the files that the program makes."""
RESULT = os.path.join(FOLDER, "result")
"""What a program without streams of its own writes its result to."""
_cpu_secs = []


def moment(name, meanwhile=None):
    """Stand still: the harness works, then the program reports, and is examined.

    Calls ``meanwhile()`` again and again while it waits for the first; it rests while it is looked
    at.
    """
    _exchange({"moment": name, "pid": os.getpid()}, meanwhile)
    _exchange({"cpu_secs": _cpu_secs, "view": view()}, None)


def _exchange(told, meanwhile):
    """Write one line, and wait for one byte."""
    said = os.open(os.path.join(FOLDER, "said"), os.O_WRONLY)
    left = json.dumps(told).encode() + b"\n"
    while left:
        left = left[os.write(said, left) :]
    os.close(said)
    go = os.open(os.path.join(FOLDER, "go"), os.O_RDONLY | (os.O_NONBLOCK if meanwhile else 0))
    while True:
        try:
            os.read(go, 1)
        except BlockingIOError:
            meanwhile()
        else:
            break
    os.close(go)


def work(piece):
    """Run a fixed piece of the program's work and keep how much processor time the whole process
    took for it."""
    began = time.process_time()
    value = piece()
    _cpu_secs.append(time.process_time() - began)
    return value


def three_moments(piece, meanwhile=None):
    """The usual course.

    A piece of work before the agent comes, one while a viewer looks, one after it left. Prints all
    three results.
    """
    for name in ("before", "during", "after"):
        moment(name, meanwhile)
        print(name, work(piece), flush=True)


def count(rounds=60_000):
    """An ordinary piece of work with one right answer."""
    return sum(i * i % 7 for i in range(rounds))


def lowest():
    """The number that the next open descriptor gets; -1: there is none left."""
    try:
        number = os.open("/", os.O_RDONLY)
    except OSError:
        return -1
    os.close(number)
    return number


def open_numbers():
    """Numbers of the descriptors that are open, seen without any listing."""
    numbers = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        numbers.append(number)
    return numbers


def view():
    """The program's own view of its interpreter."""
    main = sys.modules["__main__"].__dict__
    monitoring = getattr(sys, "monitoring", None)
    return {
        "lowest descriptor": lowest(),
        "open descriptors": open_numbers(),
        "thread objects": sorted(
            f"{thread.name} {thread.daemon}" for thread in threading.enumerate()
        ),
        "trace and profile": [_name(each) for each in _traced()],
        "monitoring": [monitoring.get_tool(number) for number in range(6)] if monitoring else [],
        "handlers": {int(each): _name(signal.getsignal(each)) for each in signal.valid_signals()},
        "wakeup descriptor": _wakeup(),
        "exit functions": atexit._ncallbacks(),
        "faulthandler": "faulthandler" in sys.modules and sys.modules["faulthandler"].is_enabled(),
        "collector": [
            gc.isenabled(),
            *gc.get_threshold(),
            gc.get_debug(),
            gc.get_freeze_count() > 0,
            len(gc.garbage),
        ],
        "collector's callbacks": len(gc.callbacks),
        "import path": [sys.path, [_name(type(each)) for each in sys.path_hooks]],
        "finders": [_name(each) for each in sys.meta_path],
        "hooks of the interpreter": [
            _name(getattr(sys, each))
            for each in ("excepthook", "unraisablehook", "displayhook", "breakpointhook")
        ],
        "hook of threads": _name(threading.excepthook),
        "birth of a thread": _name(getattr(threading.Thread, "_set_native_id", None)),
        "filters of warnings": [repr(each) for each in warnings.filters],
        "switch interval and depth": [
            sys.getswitchinterval(),
            sys.getrecursionlimit(),
            threading.stack_size(),
        ],
        "locale": locale.setlocale(locale.LC_ALL),
        "environment": {
            name: value for name, value in os.environ.items() if name != "ARC_INSPECTOR"
        },
        "words": [sys.argv, sys.orig_argv, str(sys.flags)],
        "names": [sorted(main), sorted(vars(builtins))],
        "modules": sorted(sys.modules),
        "working folder": _working_folder(),
        "streams": [_name(type(getattr(sys, each))) for each in ("stdin", "stdout", "stderr")],
    }


def _traced():
    return (
        sys.gettrace(),
        sys.getprofile(),
        getattr(threading, "_trace_hook", None),
        getattr(threading, "_profile_hook", None),
    )


def _wakeup():
    if threading.current_thread() is not threading.main_thread():
        return None
    number = signal.set_wakeup_fd(-1)
    if number != -1:
        signal.set_wakeup_fd(number, warn_on_full_buffer=False)
    return number


def _working_folder():
    try:
        return os.getcwd()
    except OSError as error:
        return error.strerror


def _name(thing):
    """A name without an address."""
    if thing is None or isinstance(thing, int):
        return str(thing)
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"
