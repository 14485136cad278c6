"""The meaning of the numbers. numpy, and pure."""
