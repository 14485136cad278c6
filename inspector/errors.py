"""Errors of the whole package.

Each is raised in one layer; the message is one line, cause first.
"""

from __future__ import annotations

from typing import Final

UNKNOWN_STATUS: Final = 4
"""Exit status of a command that cannot say yet."""


class InspectorError(Exception):
    """Anything that this package reports."""

    exit_status = 1


class UsageError(InspectorError):
    """Wrong use of the command line."""

    exit_status = 2


class NoNativeLibraryError(InspectorError):
    """This installation is the pure wheel, and the request needs the native library."""

    exit_status = 3

    def __init__(self) -> None:
        """With the one message."""
        super().__init__(
            "this installation has no native library, which is built for Linux alone; it opens "
            "recordings and screenshots: arc-inspector open FILE"
        )


class AttachError(InspectorError):
    """A target cannot be attached."""

    exit_status = 3


class SegmentError(AttachError):
    """A segment is damaged, cut short, or of another version."""


class ControlError(InspectorError):
    """The control socket refused, broke, or did not answer in time."""


class TargetBusyError(ControlError):
    """The target lives but did not answer in time.

    The command was given up and will not run later.
    """

    exit_status = UNKNOWN_STATUS


class FileFormatError(InspectorError):
    """A screenshot or session file is damaged, too large, or of another version."""


class HandleError(InspectorError):
    """Wrong use of a handle. Children name the kind."""


class ZeroHandleError(HandleError):
    """Handle 0 is never valid."""


class StaleHandleError(HandleError):
    """The handle was released."""


class WrongTypeError(HandleError):
    """The handle is of another type."""


class UnknownHandleError(HandleError):
    """The number was never a handle."""


class PoisonedError(HandleError):
    """A call panicked inside the object before; it may be half changed and can only be released."""


class ClosedError(HandleError):
    """The resource is closed."""


class CloseError(HandleError):
    """The close method failed or was refused."""


class NativePanicError(InspectorError):
    """Native code panicked; the panic was caught at the boundary."""
