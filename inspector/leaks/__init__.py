"""Leaks in tests and CI: handles that a test, or a whole program, leaves alive.

Runs in the process that is judged: no Qt, no numpy.
"""
