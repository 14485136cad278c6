"""``arc-inspector`` and ``python -m inspector``.

Kept small: it runs before it is known whether the viewer's dependencies are installed.
"""

from __future__ import annotations

import sys
from typing import Final

from inspector.ending import EndedBySignalError, end_at_once, end_on_signals

VIEWER_PACKAGES: Final = frozenset(
    {"typer", "rich", "numpy", "psutil", "platformdirs", "PySide6", "pyqtgraph"}
)
NOT_INSTALLED_STATUS: Final = 3


def main() -> int:
    """Run the command line; returns the exit status."""
    try:
        end_on_signals()
        from inspector.commands.app import run

        return run(sys.argv[1:])
    except EndedBySignalError as ended:
        return ended.exit_status
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in VIEWER_PACKAGES:
            raise
        line = (
            f"arc-inspector: the viewer is not installed (there is no {missing}): pip install "
            "'arc-inspector[viewer]'"
        )
        print(line, file=sys.stderr)
        return NOT_INSTALLED_STATUS
    finally:
        end_at_once()


if __name__ == "__main__":
    sys.exit(main())
