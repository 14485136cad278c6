import atexit
import threading

from steps import count, three_moments

ended = threading.Event()


def go_on():
    ended.wait()
    print("a thread outlives the main thread", count(), flush=True)


atexit.register(print, "the first registered runs last")
three_moments(count)
threading.Thread(target=go_on).start()
atexit.register(print, "the last registered runs first")
threading._register_atexit(ended.set)
