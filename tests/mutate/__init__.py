"""One-line faults, each with the tests that must notice it: ``./dev mutate``."""
