"""Painted parts that panes share."""
