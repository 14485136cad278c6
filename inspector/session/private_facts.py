"""Private names and folders of this viewer and of a process, for redaction. Any thread."""

from __future__ import annotations

import getpass
import pwd
import socket
from contextlib import suppress
from pathlib import Path

from inspector.attach.procfs import working_folder
from inspector.model.private_texts import Private


def private_facts(pid: int | None = None) -> Private:
    """The names of this machine, the homes of its users, and the folder that ``pid`` works in.

    A process that is gone has no folder.
    """
    users, homes = set(), {str(Path.home())}
    with suppress(OSError, KeyError):
        users.add(getpass.getuser())
    people = [each for each in pwd.getpwall() if each.pw_dir.startswith(("/home/", "/Users/"))]
    users |= {each.pw_name for each in people}
    homes |= {each.pw_dir for each in people}
    host = socket.gethostname()
    folder = working_folder(pid) if pid is not None else ""
    return Private(
        users=frozenset(users),
        hosts=frozenset({host, host.partition(".")[0]}),
        homes=frozenset(homes),
        projects=frozenset({folder} if folder else ()),
    )
