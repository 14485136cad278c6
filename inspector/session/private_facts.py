"""Private names and folders of this viewer and of a process, for redaction. Any thread."""

from __future__ import annotations

import getpass
import socket
from contextlib import suppress
from pathlib import Path

from inspector.attach.procfs import working_folder
from inspector.model.private_texts import Private
from inspector.systems import homes as listed_homes


def private_facts(pid: int | None = None) -> Private:
    """The names of this machine, the homes of its users, and the folder that ``pid`` works in.

    A process that is gone has no folder.
    """
    users, homes = set(), {str(Path.home())}
    with suppress(OSError, KeyError, ImportError):
        users.add(getpass.getuser())
    people = [each for each in listed_homes() if each[1].startswith(("/home/", "/Users/"))]
    users |= {name for name, _ in people}
    homes |= {home for _, home in people}
    host = socket.gethostname()
    folder = working_folder(pid) if pid is not None else ""
    return Private(
        users=frozenset(users),
        hosts=frozenset({host, host.partition(".")[0]}),
        homes=frozenset(homes),
        projects=frozenset({folder} if folder else ()),
    )
