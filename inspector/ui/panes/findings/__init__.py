"""The pane of findings."""
