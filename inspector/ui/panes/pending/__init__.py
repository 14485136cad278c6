"""The pane of pending closes."""
