import _xxsubinterpreters as interpreters

from steps import count, three_moments


def run():
    made = interpreters.create()
    interpreters.run_string(made, "import json, threading; total = sum(range(100))")
    interpreters.destroy(made)
    return count(), len(interpreters.list_all())


three_moments(run)
