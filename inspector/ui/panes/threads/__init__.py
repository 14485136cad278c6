"""The pane of threads, their calls and stacks."""
