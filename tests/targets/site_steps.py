"""A target whose objects are made through wrappers.

Of the standard library, and of the package that defines the class.

Arguments: the level. ``handlelib`` is a package that the test has put among the installed ones.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from typing import Any

import bdkpython
import handlelib  # type: ignore[import-not-found]  # written by the test
from stepping import serve

from inspector import agent

KEPT: list[Any] = []


def through_functools() -> None:
    KEPT.append(functools.singledispatch(bdkpython.Amount.from_sat)(1))


def through_asyncio() -> None:
    loop = asyncio.new_event_loop()
    loop.call_soon(lambda: KEPT.append(bdkpython.Amount.from_sat(2)))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()


def through_a_bare_callback() -> None:
    loop = asyncio.new_event_loop()
    # no function of the program's own between
    loop.call_soon(KEPT.extend, map(bdkpython.Amount.from_sat, [3]))
    loop.call_soon(loop.stop)
    loop.run_forever()  # bare
    loop.close()


def through_the_package() -> None:
    KEPT.append(handlelib.connect())


if __name__ == "__main__":
    steps = (through_functools, through_asyncio, through_a_bare_callback, through_the_package)
    serve(
        {step.__name__: step for step in steps}, forget=KEPT.clear, segment=agent.start(sys.argv[1])
    )
