"""Code that builds the packages: imported by ``setup.py`` and ``./dev``, never installed."""
