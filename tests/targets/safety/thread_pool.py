from concurrent.futures import ThreadPoolExecutor

from steps import count, three_moments

with ThreadPoolExecutor(8, thread_name_prefix="pool") as pool:
    three_moments(lambda: list(pool.map(count, range(0, 4000, 100))))
