"""The pane "What was done"."""
