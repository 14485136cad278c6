import sys

from steps import count, three_moments

three_moments(count)
print("to the other stream", file=sys.stderr)
