"""Compares the inspector's counts with the libraries' own, at random, at rest and among busy
threads: ``./dev truth``."""
