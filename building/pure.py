"""The pure wheel: the schema as data, and a stand-in for the native library.

It opens recordings, pictures and exports on any system. Layouts and numbers come from the one C
header, as for the compiled module.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

from building import native

SCHEMA: Final = "native_schema.json"
STAND_IN: Final = Path(__file__).with_name("stand_in.py")
ARITHMETIC: Final = re.compile(r"[\s()|<&+*-]*((0x[0-9A-Fa-f]+|\d+)[\s()|<&+*-]*)+")


def write_stand_in(package: Path) -> None:
    """Write the stand-in and its schema into a built package, which then has no native library."""
    shutil.copy(STAND_IN, package / "_native.py")
    (package / SCHEMA).write_text(json.dumps(schema(), separators=(",", ":")), encoding="utf-8")
    (package / "_native.pyi").unlink(missing_ok=True)


def schema() -> dict[str, Any]:
    """Constants by name, and records with their fields.

    A field is ``[name, offset, type, bytes of an element, elements or null]``.
    """
    ffi: Any = native.interface()  # its types are stubs without the parts that list declarations
    declared = {name: kind for name, (kind, _) in ffi._parser._declarations.items()}
    records = {
        name.removeprefix("typedef "): ffi.typeof(name.removeprefix("typedef "))
        for name in declared
        if name.startswith("typedef ")
    }
    enumerators = {
        name: int(value)
        for kind in declared.values()
        if hasattr(kind, "enumerators") and hasattr(kind, "enumvalues")
        for name, value in zip(kind.enumerators, kind.enumvalues, strict=True)
    }
    return {
        "constants": {**constants(native.HEADER.read_text(encoding="utf-8")), **enumerators},
        "records": {
            name: {
                "size": ffi.sizeof(kind),
                "fields": [_field(ffi, name, member) for name, member in kind.fields],
            }
            for name, kind in records.items()
            if kind.kind == "struct" and kind.fields
        },
    }


def _field(ffi: Any, name: str, member: Any) -> list[Any]:
    kind, count = member.type, None
    if kind.kind == "array":
        count, kind = kind.length, kind.item
    return [name, member.offset, kind.cname, ffi.sizeof(kind), count]


def constants(header: str) -> dict[str, int]:
    """Numeric constants of the header. Raises ``SystemExit`` for one that is no number."""
    found: dict[str, int] = {}
    waiting = dict(re.findall(r"^#define (Ai\w+) (.+)$", header, re.MULTILINE))
    while waiting:
        # a constant may be made of constants that the header has further below
        ready = {
            name: value
            for name, value in waiting.items()
            if not set(re.findall(r"\bAi\w+", value)) & waiting.keys()
        }
        if not ready:
            raise SystemExit(f"the pure wheel cannot read {', '.join(waiting)}")
        for name, value in ready.items():
            del waiting[name]
            found[name] = _value(name, value, found)
    return found


def _value(name: str, text: str, known: dict[str, int]) -> int:
    plain = re.sub(r"\(u?int\d+_t\)", "", text)
    plain = re.sub(r"\bUINT(\d+)_MAX\b", lambda found: str(2 ** int(found[1]) - 1), plain)
    plain = re.sub(r"\b(0x[0-9A-Fa-f]+|\d+)[UL]+\b", r"\1", plain)
    plain = re.sub(r"\bAi\w+", lambda found: str(known[found[0]]), plain)
    if not ARITHMETIC.fullmatch(plain):
        raise SystemExit(f"the pure wheel cannot read {name}: {text}")
    return int(eval(plain, {"__builtins__": {}}))  # noqa: S307 - numbers and operators alone
