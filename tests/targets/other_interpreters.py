"""A program that runs code in several interpreters: ``other_interpreters.py COUNT``.

Prints ``ready``, ends with its stdin.
"""

import sys

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

made = [interpreters.create() for _ in range(int(sys.argv[1]))]
for each in made:
    interpreters.run_string(each, "kept = [bytearray(8)] * 3")
print("ready", flush=True)
sys.stdin.read()
for each in made:
    interpreters.destroy(each)
print('done {"right": true}', flush=True)
