"""The pane of events."""
