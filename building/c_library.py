"""``./dev c PREFIX``: the library, the header and the pkg-config file for C and C++ programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from building.native import NATIVE
from building.zig import strip_debug

ROOT: Final = Path(__file__).resolve().parent.parent
HEADER: Final = NATIVE / "include" / "c" / "arc_inspector.h"
LIBRARIES: Final = ("libarc_inspector.a", "libarc_inspector.so")
MOST_BYTES: Final = 5_000_000
SYSTEM: Final = "-lgcc_s -lpthread -ldl -lm -lc"
"""Libraries that a program with the static library links."""
PKG_CONFIG: Final = """\
prefix={prefix}
libdir=${{prefix}}/lib
includedir=${{prefix}}/include

Name: arc-inspector
Description: {about}
Version: {version}
Cflags: -I${{includedir}}
Libs: -L${{libdir}} -larc_inspector
Libs.private: {system}
"""


def pkg_config(prefix: Path) -> str:
    """The pkg-config file of an installation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return PKG_CONFIG.format(
        prefix=prefix, about=project["description"], version=project["version"], system=SYSTEM
    )


def build() -> list[Path]:
    """Both libraries without debug information. Raises ``SystemExit`` for one that is too large."""
    words = ["cargo", "build", "-q", "--locked", "--profile", "small", "-p", "arc-inspector-clib"]
    subprocess.run(words, cwd=NATIVE, check=True)
    made = []
    for name in LIBRARIES:
        path = ROOT / "build" / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(NATIVE / "target" / "small" / name, path)
        strip_debug(path)
        if path.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{name} has {path.stat().st_size:,} bytes, more than {MOST_BYTES:,}")
        made.append(path)
    return made


def install(prefix: Path, libraries: Sequence[Path]) -> None:
    """Put everything below a prefix."""
    for folder in ("include", "lib/pkgconfig"):
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(HEADER, prefix / "include")
    for library in libraries:
        shutil.copy(library, prefix / "lib")
    (prefix / "lib/pkgconfig/arc-inspector.pc").write_text(pkg_config(prefix), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Build and install."""
    if len(arguments) != 1:
        print("c needs the prefix to install to", file=sys.stderr)
        return 2
    libraries = build()
    install(Path(arguments[0]).absolute(), libraries)
    for path in libraries:
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
