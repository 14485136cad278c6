"""As the package python-daemon does it, the descriptors last."""

import atexit
import os
import resource
import signal
import sys

from steps import FOLDER, RESULT, count, moment, three_moments

moment("in the foreground")
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.setgid(os.getgid())
os.setuid(os.getuid())
os.chdir("/")
os.umask(0)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTSTP, signal.SIG_IGN)
signal.signal(signal.SIGTTIN, signal.SIG_IGN)
for number in reversed(range(resource.getrlimit(resource.RLIMIT_NOFILE)[0])):
    try:
        os.close(number)
    except OSError:
        continue
for number in range(3):
    os.open(RESULT if number else os.devnull, os.O_RDWR | os.O_CREAT | os.O_APPEND)
pid_file = os.open(f"{FOLDER}/pid", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
atexit.register(os.unlink, f"{FOLDER}/pid")
three_moments(count)
print("number of the pid file", pid_file, file=sys.stderr)
sys.exit(4)
