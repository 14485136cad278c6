"""What the numbers mean. numpy, and pure."""
