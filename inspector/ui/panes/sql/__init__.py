"""The pane of SQL."""
