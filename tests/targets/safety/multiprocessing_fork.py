import multiprocessing
import os

from steps import three_moments, view


def square(number):
    return number * number


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
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=look, args=(queue,))
    child.start()
    seen = queue.get()
    child.join()
    with context.Pool(2) as pool:
        squares = pool.map(square, range(20))
        pool.close()
        pool.join()
    queue.close()
    return child.exitcode, seen, squares


if __name__ == "__main__":
    three_moments(use_all)
