"""Metrics of all processes of a host: names, one process's values, and totals over processes."""
