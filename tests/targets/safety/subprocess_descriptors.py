import os
import subprocess
import sys

from steps import three_moments

LIST = "import os; print(sorted(int(each) for each in os.listdir('/proc/self/fd'))[:-1])"
reader, writer = os.pipe()


def children():
    listed = []
    for options in ({"close_fds": True}, {"close_fds": False}, {"pass_fds": [writer]}):
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", LIST],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            **options,
        )
        listed.append(done.stdout.strip())
    os.set_inheritable(reader, True)
    status = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-S", "-E", "-c", LIST])
    os.set_inheritable(reader, False)
    return listed, status, os.system("exit 3") >> 8


three_moments(children)
