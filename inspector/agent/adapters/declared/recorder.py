"""The recorder with what declared rows need beside: how a type closes, the state of a resource, and counts that an adapter keeps."""

from __future__ import annotations

from typing import Final

from inspector.agent.adapters.recorder import Recorder
from inspector.wire import ffi, lib
from inspector.wire.declarations import Declaration
from inspector.wire.schema import COUNT_UNKNOWN, Kind, ResourceState
from inspector.wire.status import check, new_error
from inspector.wire.text import text_struct

STRONG_LIMIT: Final = (1 << 32) - 2


class DeclaredRecorder(Recorder):
    """Holds nothing, as its parent. Any thread."""

    __slots__ = ()

    def declared_type(self, declaration: Declaration, origin: str) -> int:
        """The type of a declaration's rows. Raises when the table of types is full."""
        index, error = ffi.new("uint16_t *"), new_error()
        texts = [text_struct(text) for text in (declaration.name, origin, declaration.close_signature)]
        spec = ffi.new("AiTypeSpec *", {"kind": int(Kind.DECLARED)})
        spec.name, spec.origin, spec.close_signature = (native for native, _ in texts)
        spec.closes, spec.thread_affine = bool(declaration.close), declaration.owner_closes
        check(lib.ai_type(spec, index, error), error)
        return int(index[0])

    def set_resource(self, row: int, state: ResourceState) -> None:
        """What became of the row's resource."""
        if row > 0:
            lib.ai_row_resource(row, int(state))

    def set_strong(self, row: int, strong: int) -> None:
        """The count of the row's object, as calls of its library tell it."""
        if row > 0:
            lib.ai_row_counts(row, min(strong, STRONG_LIMIT), COUNT_UNKNOWN, 0)
