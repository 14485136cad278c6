"""The pane of reference cycles."""
