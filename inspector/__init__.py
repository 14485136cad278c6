"""arc-inspector: a desktop inspector for live native objects."""
