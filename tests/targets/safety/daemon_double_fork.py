import os
import sys

from steps import FOLDER, RESULT, count, three_moments

print("starting", flush=True)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.chdir("/")
os.umask(0o27)
null = os.open(os.devnull, os.O_RDWR)
log = os.open(RESULT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
os.dup2(null, 0)
os.dup2(log, 1)
os.dup2(log, 2)
os.close(null)
os.close(log)
with open(f"{FOLDER}/pid", "w") as file:
    file.write("running")
three_moments(count)
os.unlink(f"{FOLDER}/pid")
print("ended", file=sys.stderr)
