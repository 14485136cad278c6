"""The pane with the history of a handle or an object."""
