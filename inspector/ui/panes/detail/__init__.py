"""The pane with the detail of one handle."""
