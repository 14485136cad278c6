"""Formats in which a snapshot and its findings leave the tool. Pure; any thread."""
