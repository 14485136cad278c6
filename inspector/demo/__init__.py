"""The sample target: a to-do application with three faults.

It has a leak, a close that hangs, and garbage that holds handles.
"""
