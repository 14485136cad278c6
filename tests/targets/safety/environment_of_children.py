import os
import subprocess

from steps import three_moments


def children():
    done = subprocess.run(["env"], stdout=subprocess.PIPE, text=True, check=True)
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    limits = subprocess.run(
        "ulimit -a; umask; nice; pwd", shell=True, stdout=subprocess.PIPE, text=True, check=True
    )
    return (
        sorted(names - {"ARC_INSPECTOR"}),
        limits.stdout.splitlines(),
        sorted(os.sched_getaffinity(0)),
    )


three_moments(children)
