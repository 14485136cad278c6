import os
import sys

from steps import count, moment, work

DONE = int(os.environ.get("SAFETY_EXECUTED", "0"))
NAMES = ("before", "during", "after")


def execute_again():
    sys.stdout.flush()
    os.environ["SAFETY_EXECUTED"] = str(DONE + 1)
    os.execv(sys.executable, [sys.executable, *sys.argv])


if DONE == 0:
    moment("before")
    print("first", work(count))
    moment("during")
    print("second", work(count))
    execute_again()
elif DONE == 1:
    moment("executed")
    execute_again()
moment("after")
print("third", work(count))
