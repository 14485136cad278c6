import os

from steps import FOLDER, count, moment, work

first = [os.open(f"{FOLDER}/result", os.O_RDWR | os.O_CREAT | os.O_APPEND) for _ in range(3)]
for name in ("before", "during", "after"):
    moment(name)
    os.write(first[1], f"{name} {work(count)} {first}\n".encode())
