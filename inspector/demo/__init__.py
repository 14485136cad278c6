"""The sample target: a to-do application with a leak, a close that hangs and garbage that holds handles."""
