"""The owner of a source file, told by its path.

It is the program, the standard library, a followed package, or the tool.

One rule for both sides: a target decides with it how far a short site reaches, a viewer which frame
names a site. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

INSTALLED: Final = ("/site-packages/", "/dist-packages/")
STANDARD: Final = ("/lib/python3", "/lib64/python3")
"""Followed by the minor version; installed packages lie below it and are told before."""
NATIVE_STANDARD: Final = ("/rustc/", "/lib/rustlib/src/rust/", "/include/c++/")
"""Parts of the paths of the standard libraries of Rust and C++, whose functions are inlined into a
program's own."""
STARTERS: Final = ("threading.py", "runpy.py", "<frozen runpy>")
"""Files of the standard library whose outermost frames start a thread or the program."""
OWN_ROOMS: Final = ("inspector/agent/", "inspector/runtime/", "inspector/wire/")


def is_standard(file: str) -> bool:
    """Whether a file belongs to the standard library."""
    if any(part in file for part in INSTALLED):
        return False
    return file.startswith("<frozen ") or any(
        part in file for part in (*STANDARD, *NATIVE_STANDARD)
    )


def starts_code(file: str) -> bool:
    """Whether an outermost frame of the file only starts the program's own code."""
    return file.rpartition("/")[2] in STARTERS and is_standard(file)


def is_of_package(file: str, packages: Collection[str]) -> bool:
    """Whether a file belongs to one of these top-level packages, or to the tool itself.

    Packages lie where an installer put them.
    """
    for part in INSTALLED:
        _, found, below = file.rpartition(part)
        if found:
            return below.partition("/")[0].removesuffix(".py") in packages or below.startswith(
                OWN_ROOMS
            )
    return False


def package_of(module: str) -> str:
    """The top-level package of a module: ``bdkpython`` of ``bdkpython.bdk``."""
    return module.partition(".")[0]


def packages_of(origins: Iterable[str]) -> tuple[str, ...]:
    """The top-level packages of the modules that define classes.

    Each is listed once, in alphabetical order.
    """
    return tuple(sorted({package_of(origin) for origin in origins if origin}))


def naming_frame(files: Sequence[str], packages: Collection[str]) -> int:
    """Index of the frame that names a stack, innermost file first.

    It is the first frame that is neither the standard library's nor of ``packages``, which define
    the followed classes; without such a frame the first one outside of the standard library, else
    the innermost.
    """
    outside = [index for index, file in enumerate(files) if not is_standard(file)]
    own = (index for index in outside if not is_of_package(files[index], packages))
    return next(own, outside[0] if outside else 0)
