import atexit
import os
import sys

from steps import count, three_moments

atexit.register(print, "never printed")
three_moments(count)
sys.stdout.write("not flushed")
os._exit(5)
