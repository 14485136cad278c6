"""The view of a process in which nothing may be loaded: its objects, counts, threads and stacks.

The fallback. Reads the process's memory from outside; stops nothing, writes nothing, loads nothing.
See ADR 0015.
"""
