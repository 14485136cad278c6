"""Has changed all that a process can set of itself; nothing of it may change back."""

import ctypes
import gc
import locale
import os
import resource
import signal
import sys
import threading
import warnings

from steps import FOLDER, count, three_moments

os.nice(5)
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
os.umask(0o77)
os.mkdir(f"{FOLDER}/gone")
os.chdir(f"{FOLDER}/gone")
os.rmdir(f"{FOLDER}/gone")
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_NPROC, (5000, 5000))
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("100")
with open("/proc/self/coredump_filter", "w") as file:
    file.write("0x11")
ctypes.CDLL(None).prctl(15, b"other name", 0, 0, 0)
locale.setlocale(locale.LC_ALL, "C.UTF-8")
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
sys.setrecursionlimit(3000)
sys.setswitchinterval(0.01)
threading.stack_size(1 << 20)
warnings.simplefilter("error")
gc.disable()
gc.freeze()
sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *details: print(
    "a hook of its own", flush=True
)


def depth(so_far=0):
    try:
        return depth(so_far + 1)
    except RecursionError:
        return so_far


three_moments(lambda: (depth(), count(), gc.get_freeze_count() > 0))
raise ValueError("for the hook")
