"""A viewer in a process of its own, to be killed.

``viewing.py SEGMENT LEVEL`` says ``ready`` when the target has taken it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stepping import serve

from inspector.session.live import LiveSession
from inspector.vocabulary import Level
from tests.helpers.waiting import Follower

if __name__ == "__main__":
    session = LiveSession(Path(sys.argv[1]), level=Level[sys.argv[2]])
    Follower(session).wait(lambda _: session.capabilities.act)
    serve({})
