import threading

from steps import three_moments

threading.stack_size(64 << 10)


def in_threads():
    sums = []
    threads = [threading.Thread(target=lambda: sums.append(sum(range(1000)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sums


three_moments(in_threads)
