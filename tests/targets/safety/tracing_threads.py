import sys
import threading
from collections import Counter

from steps import three_moments

lines = Counter()
foreign = set()


def trace(frame, event, argument):
    if "inspector" in frame.f_globals.get("__name__", ""):
        foreign.add(frame.f_code.co_name)
    if event == "line" and frame.f_code.co_name == "squares":
        lines[threading.current_thread().name] += 1
    return trace


def squares():
    total = 0
    for number in range(100):
        total += number * number


def in_two_threads():
    threads = [threading.Thread(target=squares, name=f"thread {number}") for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(lines.items()), sorted(foreign)


threading.settrace(trace)
sys.settrace(trace)
three_moments(in_two_threads)
sys.settrace(None)
