"""The pane "Alive by site": a flame graph of live handles."""
