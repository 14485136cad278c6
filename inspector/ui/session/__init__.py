"""The window's side of a session.

It has attachment, bridge to worker threads, actions on the target, marks, events and findings.
"""
