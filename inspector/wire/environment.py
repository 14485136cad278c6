"""Environment variables in which a viewer gives settings to a target that it starts.

The program itself never sees them.
"""

from __future__ import annotations

from typing import Final

WAIT_VARIABLE: Final = "ARC_INSPECTOR_WAIT_FD"
"""Descriptor of a pipe: the launcher runs the program when the pipe is written to or closed, so
that a short program is seen too."""
EXIT_REPORT_VARIABLE: Final = "ARC_INSPECTOR_EXIT_REPORT"
"""Anything but empty and 0: the agent says on stderr what is alive when the program ends."""
EXIT_REPORT_JSON_VARIABLE: Final = "ARC_INSPECTOR_EXIT_REPORT_JSON"
"""A file that the agent writes the same to, as one JSON object."""
ADAPTERS_VARIABLE: Final = "ARC_INSPECTOR_ADAPTERS"
"""Files of declarations, and names of shipped ones, with colons between them; for programs that no
viewer starts."""
