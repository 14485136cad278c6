import os
import subprocess
import sys

from steps import count, three_moments

print(sys.stdin.buffer.raw.read(6))
three_moments(count)
subprocess.run(["head", "-c", "5"], check=True)
print(os.read(0, 4), os.lseek(0, 0, os.SEEK_CUR))
print(sys.stdin.read())
