"""A process whose memory makes no sense, or changes while it is read, gives fewer rows or one
error: never a crash, a hang or a flood."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from inspector.attach.outside import heap
from inspector.attach.outside import look as looking
from inspector.attach.outside.look import look
from inspector.attach.outside.memory import (
    MOST_GATHERED_BYTES,
    Gathered,
    OutsideError,
    OutsideMemory,
    in_swap,
)
from inspector.attach.procfs import MappedRange, mappings
from tests.helpers.outside import stepped
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with stepped(sys.executable) as running:
        running.ask("make 30")
        running.ask("hold 5")
        yield running


@pytest.fixture(scope="module")
def extensions() -> Iterator[Target]:
    """A target with objects that PyO3 made."""
    try:
        folder = str(package_folder("rpds-py==0.20.0"))
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("pyo3_steps", folder) as running:
        running.ask("make rpds.HashTrieMap 30")
        running.ask("make rpds.List 10")
        yield running


class NoisyMemory(OutsideMemory):
    """Reads the process, and spoils some of the bytes read."""

    chance: np.random.Generator
    share: float

    def gather(self, addresses: npt.ArrayLike, each_bytes: int) -> Gathered:
        found = super().gather(addresses, each_bytes)
        spoilt = self.chance.random(found.data.shape) < self.share
        found.data[spoilt] = self.chance.integers(0, 256, int(spoilt.sum()), np.uint8)
        return found

    def read(self, address: int, size_bytes: int) -> bytes:
        found = bytearray(super().read(address, size_bytes))
        for at in np.flatnonzero(self.chance.random(len(found)) < self.share).tolist():
            found[at] = int(self.chance.integers(0, 256))
        return bytes(found)


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_spoilt_memory_gives_what_is_left_or_one_error(
    target: Target,
    extensions: Target,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    share: float,
) -> None:
    monkeypatch.setattr(NoisyMemory, "chance", np.random.default_rng(seed), raising=False)
    monkeypatch.setattr(NoisyMemory, "share", share, raising=False)
    monkeypatch.setattr(looking, "OutsideMemory", NoisyMemory)
    for each in (target, extensions):
        found = look(each.pid, with_stacks=False)
        assert len(found.rows) <= 40
        assert all(kind.name.isprintable() for kind in found.types)
        assert len(found.rows) == sum(
            np.count_nonzero(found.rows.types == kind) for kind in range(len(found.types))
        )


def test_the_same_memory_unspoilt_gives_all(target: Target, extensions: Target) -> None:
    for each in (target, extensions):
        assert len(look(each.pid, with_stacks=False).rows) == 40


def test_an_address_that_the_map_lists_twice_is_searched_once(
    extensions: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overlapping(pid: int) -> list[MappedRange]:
        found = mappings(pid)
        assert found is not None
        return [part for each in found for part in (each, replace(each, high=each.high + 4096))]

    monkeypatch.setattr(heap, "mappings", overlapping)
    assert len(look(extensions.pid, with_stacks=False).rows) == 40


def test_more_than_a_sane_amount_is_never_asked_for(target: Target) -> None:
    memory = OutsideMemory(target.pid)
    with pytest.raises(OutsideError, match="more than 512 MiB"):
        memory.gather(np.zeros(2, np.uint64), MOST_GATHERED_BYTES)
    assert memory.read(0, MOST_GATHERED_BYTES + 1) == b""
    assert memory.read(-1, 8) == b""
    assert memory.read(1 << 64, 8) == b""


def test_what_cannot_be_read_is_said_for_each_place(target: Target) -> None:
    memory = OutsideMemory(target.pid)
    found = memory.gather([0, 8, (1 << 64) - 8], 8)
    assert found.readable.tolist() == [False] * 3
    assert found.words().tolist() == [0, 0, 0]


def test_a_process_that_is_gone_is_one_line() -> None:
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    with pytest.raises(OutsideError, match=f"^process {process.pid} has ended$"):
        OutsideMemory(process.pid).gather([4096], 8)


def test_pages_in_swap_are_told_by_the_map_of_pages(tmp_path: Path) -> None:
    pagemap = tmp_path / "pagemap"
    pagemap.write_bytes(
        b"".join(entry.to_bytes(8, "little") for entry in (1 << 63, 1 << 62, 0, 1 << 62 | 1 << 61))
    )
    assert in_swap(pagemap, [16, 4096 + 16, 3 * 4096 - 8, 3 * 4096, 99 * 4096]) == {
        4096 + 16,
        3 * 4096,
    }
    assert in_swap(tmp_path / "none", [16]) == set()
    own = np.ones(8)
    assert in_swap(Path("/proc/self/pagemap"), [own.ctypes.data]) == set()
