import faulthandler
import os
import signal

from steps import FOLDER, count, three_moments

file = open(f"{FOLDER}/stacks", "w+")
faulthandler.enable(file)
faulthandler.register(signal.SIGUSR1, file=file, all_threads=False, chain=False)


def stacks():
    os.kill(os.getpid(), signal.SIGUSR1)
    file.seek(0)
    lines = file.read().count("in stacks")
    file.seek(0)
    file.truncate()
    return lines, count()


three_moments(stacks)
file.close()
os.unlink(f"{FOLDER}/stacks")
signal.signal(signal.SIGSEGV, signal.SIG_DFL)
os.kill(os.getpid(), signal.SIGSEGV)
