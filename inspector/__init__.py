"""arc-inspector: a desktop inspector for live native objects.

PYTEST_DONT_REWRITE: the agent may have imported this before pytest looks at its plugins.
"""

import sys

IS_ARC_INSPECTOR = True
"""Tells this package from a program's module of the same name."""
if (_world := getattr(sys.modules.get("_arc_inspector"), "WORLD", None)) is not None:
    _world.adopt(sys.modules[__name__])  # the agent runs already: see _arc_inspector.py
