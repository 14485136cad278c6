"""One ecosystem a file."""
