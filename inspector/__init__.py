"""arc-inspector: a desktop inspector for live native objects.

PYTEST_DONT_REWRITE: the agent may have imported this before pytest looks at its plugins.
"""
