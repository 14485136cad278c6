"""Muted findings, with the reasons, kept in a file. Any thread; several viewers may write."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from inspector.errors import FileFormatError
from inspector.regular_files import read_regular

MUTES_NAME: Final = "mutes.json"
"""The file, in the folder of the viewer's settings."""
MAX_BYTES: Final = 1 << 20
"""A larger file is taken for damaged."""
MAX_REASON: Final = 500
"""Characters that are kept of a reason."""


class Mutes:
    """Reasons by the key of a finding."""

    def __init__(self, path: Path) -> None:
        """Kept in ``path``, which need not exist."""
        self._path = path
        self._lock = threading.Lock()

    def all(self) -> Mapping[str, str]:
        """The muted findings.

        A file that is not there or damaged mutes nothing: then findings are shown, not hidden.
        """
        try:
            listed = json.loads(read_regular(self._path, MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return MappingProxyType({})
        if not isinstance(listed, dict):
            return MappingProxyType({})
        return MappingProxyType(
            {key: reason for key, reason in listed.items() if isinstance(reason, str)}
        )

    def mute(self, key: str, reason: str) -> None:
        """Mute a finding.

        Raises ``FileFormatError`` when there is no reason, or the file cannot be written.
        """
        if not reason.strip():
            raise FileFormatError("a finding is muted for a reason: say which")
        self._change(dict(self.all()) | {key: reason.strip()[:MAX_REASON]})

    def unmute(self, key: str) -> None:
        """Unmute a finding. Raises ``FileFormatError`` when the file cannot be written."""
        self._change({each: reason for each, reason in self.all().items() if each != key})

    def _change(self, mutes: Mapping[str, str]) -> None:
        """All or nothing, so that a reader never sees half a file."""
        with self._lock:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                descriptor, name = tempfile.mkstemp(dir=self._path.parent)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(mutes, file, indent=2)
                Path(name).replace(self._path)
            except OSError as error:
                raise FileFormatError(
                    "cannot save the list of muted findings: "
                    f"{error.strerror or error}: {self._path}"
                ) from error
