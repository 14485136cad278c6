import multiprocessing
import os

from steps import three_moments, view


def look(queue):
    seen = view()
    queue.put(
        [
            seen["lowest descriptor"],
            seen["thread objects"],
            sorted(seen["environment"].keys() - os.environ.keys()),
        ]
    )


def use_all():
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    child = context.Process(target=look, args=(queue,))
    child.start()
    seen = queue.get()
    child.join()
    queue.close()
    return child.exitcode, seen


if __name__ == "__main__":
    three_moments(use_all)
