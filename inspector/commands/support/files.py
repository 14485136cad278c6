"""Opening what was saved or left behind: screenshots with their data, session files, and segments.

Told apart by content, not by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from inspector.errors import FileFormatError
from inspector.model.screenshot import extract_state
from inspector.regular_files import open_regular
from inspector.session.picture import PictureSession
from inspector.session.protocol import Session
from inspector.session.replay import ReplaySession

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
SEGMENT_START: Final = b"ARCISEG1"
SESSION_START: Final = b"arcsess\0"


def open_saved(path: Path) -> Session:
    """A session over a screenshot, a session file, or a segment, of a living process too.

    Raises ``FileFormatError``, ``SegmentError``.
    """
    start = _first_bytes(path)
    if start == PNG_START:
        return PictureSession(*extract_state(path))
    if start == SESSION_START:
        return ReplaySession(path)
    if start == SEGMENT_START:
        return _segment_session(path)
    raise FileFormatError(f"neither a screenshot, a session file nor a segment: {path}")


def _segment_session(path: Path) -> Session:
    # screenshots open where segments cannot, so these are imported only here
    from inspector.attach.segment import Segment
    from inspector.session.live import LiveSession
    from inspector.session.postmortem import postmortem_session

    with Segment(path) as segment:
        is_alive = segment.is_locked()
    return LiveSession(path, level=None) if is_alive else postmortem_session(path)


def _first_bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(len(PNG_START))
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}: {path}"
        ) from error
