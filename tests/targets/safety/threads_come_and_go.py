import threading

from steps import three_moments


def two_hundred():
    sums = []
    for start in range(0, 200, 20):
        threads = [
            threading.Thread(target=lambda number=number: sums.append(number))
            for number in range(start, start + 20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(sums), threading.active_count()


three_moments(two_hundred)
