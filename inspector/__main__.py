"""``arc-inspector`` and ``python -m inspector``.

Kept small: it runs before it is known whether the viewer's dependencies are installed.
"""

from __future__ import annotations

import sys
from typing import Final

from inspector.ending import EndedBySignalError, end_at_once, end_on_signals

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
        return _not_installed(error)
    finally:
        end_at_once()


def _not_installed(error: ModuleNotFoundError) -> int:
    """Print help, which every installation has, or the part to install; raises for a fault."""
    from inspector.commands.extras import advice, help_lines, is_help, missing_extra

    if not missing_extra(error):
        raise error
    if is_help(sys.argv[1:]):
        print("\n".join(help_lines()))
        return 0
    print(advice(error), file=sys.stderr)
    return NOT_INSTALLED_STATUS


if __name__ == "__main__":
    sys.exit(main())
