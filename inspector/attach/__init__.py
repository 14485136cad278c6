"""The viewer's half of attaching: discovery and connection."""
