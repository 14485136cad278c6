import sys
import threading
from collections import Counter

from steps import three_moments

calls = Counter()


def hook(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "square":
        calls[threading.current_thread().name] += 1


def square(number):
    return number * number


def squares():
    for number in range(200):
        square(number)


def in_two_threads():
    threads = [threading.Thread(target=squares, name=f"thread {number}") for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    squares()
    return sorted(calls.items())


threading.setprofile(hook)
sys.setprofile(hook)
three_moments(in_two_threads)
sys.setprofile(None)
