"""The part that runs in the target."""
