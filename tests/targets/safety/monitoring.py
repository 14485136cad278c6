import sys
from collections import Counter

from steps import three_moments

calls = Counter()
tool = sys.monitoring.PROFILER_ID


def started(code, offset):
    if code.co_name == "square":
        calls["square"] += 1


def square(number):
    return number * number


def squares():
    for number in range(200):
        square(number)
    return dict(calls), sys.monitoring.get_events(tool)


sys.monitoring.use_tool_id(tool, "a profiler")
sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, started)
sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)
three_moments(squares)
sys.monitoring.free_tool_id(tool)
