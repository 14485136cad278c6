"""Which frame names a stack: told by the paths of its files."""

from __future__ import annotations

import asyncio
import functools
import sysconfig

import pytest

from inspector.model.stacks import Frame, Site
from inspector.source_places import is_of_package, is_standard, naming_frame, packages_of

LIBRARY = "/usr/lib/python3.11/asyncio/events.py"
WRAPPER = "/venv/lib/python3.11/site-packages/bdkpython/wrap.py"
OTHER = "/venv/lib/python3.11/site-packages/aiohttp/web.py"
APP = "/srv/app/app.py"


@pytest.mark.parametrize("module", [asyncio, functools])
def test_the_standard_library_of_this_interpreter_is_known(module: object) -> None:
    file = str(module.__file__)  # type: ignore[attr-defined]
    assert file.startswith(sysconfig.get_path("stdlib"))
    assert is_standard(file)


@pytest.mark.parametrize(
    "file",
    [
        WRAPPER,
        OTHER,
        APP,
        "/usr/lib/python3/dist-packages/gi/__init__.py",
        "<string>",
        "",
        "/srv/lib/pythonic.py",
    ],
)
def test_other_files_are_not_of_the_standard_library(file: str) -> None:
    assert not is_standard(file)


def test_a_package_is_known_where_an_installer_puts_it() -> None:
    assert is_of_package(WRAPPER, ("bdkpython",))
    assert is_of_package("/x/site-packages/six.py", ("six",))
    assert not is_of_package(OTHER, ("bdkpython",))
    assert not is_of_package("/srv/bdkpython/wrap.py", ("bdkpython",))
    assert is_of_package("/x/site-packages/inspector/agent/worker.py", ())
    assert packages_of(["bdkpython.bdk", "app", "", "bdkpython.other"]) == ("app", "bdkpython")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ((APP, LIBRARY), 0),
        ((LIBRARY, WRAPPER, LIBRARY, APP), 3),
        ((WRAPPER, OTHER, APP), 1),
        ((LIBRARY, WRAPPER), 1),
        ((LIBRARY, LIBRARY), 0),
        (("<frozen importlib._bootstrap>", APP), 1),
        (("/rustc/c1f1/library/core/src/ops/function.rs", "/srv/cart.rs"), 1),
        (("/root/.rustup/x/lib/rustlib/src/rust/library/alloc/src/sync.rs", "/srv/cart.rs"), 1),
        (("/usr/include/c++/12/bits/shared_ptr.h", "/srv/cart.cc", APP), 1),
        ((), 0),
    ],
)
def test_a_stack_is_named_by_the_first_frame_outside_of_libraries(
    files: tuple[str, ...], named: int
) -> None:
    assert naming_frame(files, ("bdkpython",)) == named


def test_a_site_says_its_naming_frame_and_keeps_the_whole_stack() -> None:
    site = Site(
        1,
        (Frame("run", LIBRARY, 84), Frame("make", WRAPPER, 3), Frame("main", APP, 7)),
        packages=("bdkpython",),
    )
    assert (site.short(), site.innermost(), len(site.frames)) == (
        "app.py:7 main",
        "events.py:84 run",
        3,
    )
    assert Site(1, ()).short() == ""
