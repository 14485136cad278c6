"""Values with objects in them, across the boundary in one buffer.

They are records, enums, maps, sequences and optional values.

The bytes are laid out as in UniFFI's ``RustBuffer``. An object is the number of a strong reference
that is *in flight*: it belongs to the buffer, and the inspector names it so among the object's
native holders. Lowering counts each object up once and leaves the proxy as it is; lifting makes a
proxy that owns the reference. The end of either ``with`` block gives up references that did not
arrive.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from inspector.errors import InspectorError
from inspector.runtime.handles import Handle, create
from inspector.wire import ffi, lib

_LENGTH: Final = struct.Struct(">i")
_NUMBER: Final = struct.Struct(">Q")
Value = TypeVar("Value")
Proxy = TypeVar("Proxy", bound=Handle)


class Lowering:
    """A value on its way to native code. One thread; for one call."""

    __slots__ = ("_buffer", "_bytes")

    def __init__(self) -> None:
        """Nothing is lowered yet."""
        self._bytes = bytearray()
        self._buffer: int = lib.ai_buffer_begin()

    @property
    def arguments(self) -> tuple[Any, int, int]:
        """Bytes, their number and the buffer: three arguments of a native function.

        The function ends the buffer.
        """
        return ffi.from_buffer("uint8_t[]", self._bytes), len(self._bytes), self._buffer

    def number(self, number: int) -> None:
        """Append a length, or the number of an enum's variant, from 1."""
        self._bytes += _LENGTH.pack(number)

    def text(self, text: str) -> None:
        """Append a text."""
        data = text.encode(errors="replace")
        self.number(len(data))
        self._bytes += data

    def object(self, proxy: Handle) -> None:
        """Append an object: one reference more, which belongs to the buffer.

        Raises the errors of a wrong handle.
        """
        self._bytes += _NUMBER.pack(create(lib.ai_buffer_lower, self._buffer, proxy.handle))

    def optional(self, value: Value | None, write: Callable[[Value], None]) -> None:
        """Append a value, by ``write``, or ``None``."""
        self._bytes.append(value is not None)
        if value is not None:
            write(value)

    def sequence(self, values: Sequence[Value], write: Callable[[Value], None]) -> None:
        """Append values in their order, each by ``write``."""
        self.number(len(values))
        for value in values:
            write(value)

    def mapping(self, values: Mapping[str, Value], write: Callable[[Value], None]) -> None:
        """Append values with their names, each by ``write``."""
        self.number(len(values))
        for name, value in values.items():
            self.text(name)
            write(value)

    def __enter__(self) -> Self:
        """The end of the block ends the buffer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up the references that no native function took."""
        lib.ai_buffer_end(self._buffer)


class Lifting:
    """A value on its way from native code. One thread; for one call, which fills ``out``."""

    __slots__ = ("_at", "out")

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self.out: Any = ffi.new("AiCompound *")
        self._at = 0

    def number(self) -> int:
        """Read a length, or the number of an enum's variant."""
        number: int = _LENGTH.unpack(self._take(_LENGTH.size))[0]
        return number

    def text(self) -> str:
        """Read a text."""
        return self._take(self.number()).decode(errors="replace")

    def object(self, proxy: type[Proxy]) -> Proxy:
        """Read an object: a new proxy of that class, which owns the reference."""
        number: int = _NUMBER.unpack(self._take(_NUMBER.size))[0]
        return proxy._lift(create(lib.ai_buffer_lift, self.out.buffer, number))

    def optional(self, read: Callable[[], Value]) -> Value | None:
        """Read a value, by ``read``, or ``None``."""
        return read() if self._take(1)[0] else None

    def sequence(self, read: Callable[[], Value]) -> list[Value]:
        """Read values in their order, each by ``read``."""
        return [read() for _ in range(self.number())]

    def mapping(self, read: Callable[[], Value]) -> dict[str, Value]:
        """Read values with their names, each by ``read``."""
        return {self.text(): read() for _ in range(self.number())}

    def _take(self, count: int) -> bytes:
        """The next bytes. Raises ``InspectorError`` if there are fewer."""
        length = self.out.bytes.length
        if not 0 <= count <= length - self._at:
            raise InspectorError(
                f"the buffer ends too early: {count} bytes at {self._at} of {length}"
            )
        start, self._at = self._at, self._at + count
        return bytes(ffi.buffer(self.out.bytes.data + start, count)) if count else b""

    def __enter__(self) -> Self:
        """The end of the block ends the buffer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the bytes, and give up the references that no proxy owns."""
        lib.ai_buffer_free(ffi.addressof(self.out, "bytes"))
        lib.ai_buffer_end(self.out.buffer)
