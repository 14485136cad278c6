"""The strip of the verdict: growing types, stuck closes, and the numbers."""
