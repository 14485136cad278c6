"""One attachment from start to end."""
