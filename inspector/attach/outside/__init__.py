"""What can be told of a process in which nothing may be loaded: its objects by their layout, its counts, its threads and their stacks.

The fallback. Reads the process's memory from outside; stops nothing, writes nothing, loads nothing. See ADR 0015.
"""
