"""The pane "Actions log"."""
