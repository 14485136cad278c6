"""The table of handles."""
