"""The pane of marks and of the difference since a mark."""
