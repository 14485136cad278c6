"""The schema as Python sees it, and the control messages."""
