"""The panes of a session, one folder each: ``pane.py`` and the parts that it alone uses."""
