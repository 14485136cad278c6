"""Whether an address begins a block that an allocator has given out, as its own records tell.

The collector's links prove that an object lives. Objects that the collector does not know have
none: a copy of their first words may lie anywhere. A block's place in the pool of the interpreter's
allocator, or in the C library's heap, tells them apart. One thread.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import Addresses, Flags, OutsideMemory

Sizes = npt.NDArray[np.int64]

LARGEST_SMALL_BYTES: Final = 512
"""Larger objects come from the C library."""
ALIGNMENT: Final = 16
POOL_HEAD_BYTES: Final = 48
POOL_CLASSES: Final = 32
_POOL_USED, _POOL_CLASS, _POOL_NEXT = 0, 36, 40
CHUNK_HEAD_BYTES: Final = 8
CHUNK_FLAGS: Final = 7
CHUNK_IS_MAPPED: Final = 2
LARGEST_CHUNK: Final = 1 << 40
SMALLEST_CHUNK: Final = 32
SPARE_BYTES: Final = 48
"""A block of the C library may be longer than it was asked for."""
PAGE_BYTES: Final = 4096


def are_blocks(memory: OutsideMemory, starts: Addresses, sizes: Sizes, *, pool_bytes: int) -> Flags:
    """Which addresses begin a block in use of about this size in bytes, one element each.

    ``pool_bytes``: size of a pool of the interpreter's allocator.
    """
    is_aligned = starts % np.uint64(ALIGNMENT) == 0
    in_pool = _are_in_pools(memory, starts, sizes, pool_bytes)
    in_chunk = np.zeros(len(starts), np.bool_)
    others = np.flatnonzero(is_aligned & ~in_pool)
    in_chunk[others] = _are_chunks(memory, starts[others], sizes[others])
    blocks: Flags = is_aligned & (in_pool | in_chunk)
    return blocks


def _are_in_pools(memory: OutsideMemory, starts: Addresses, sizes: Sizes, pool_bytes: int) -> Flags:
    """Blocks of exactly their size's pool, below the end of the blocks that it has given out."""
    pools = starts & ~np.uint64(pool_bytes - 1)
    unique, line = np.unique(pools, return_inverse=True)
    heads = memory.gather(unique, POOL_HEAD_BYTES)
    used, size_class, ends = (
        heads.halves(at)[line].astype(np.int64) for at in (_POOL_USED, _POOL_CLASS, _POOL_NEXT)
    )
    wanted = -(-sizes // ALIGNMENT)
    offsets = (starts - pools).astype(np.int64)
    block_bytes = np.maximum(wanted, 1) * ALIGNMENT
    is_block: Flags = (
        (sizes <= LARGEST_SMALL_BYTES)
        & heads.readable[line]
        & (used > 0)
        & (used <= pool_bytes // ALIGNMENT)
        & (size_class < POOL_CLASSES)
        & (size_class + 1 == wanted)
        & (offsets >= POOL_HEAD_BYTES)
        & (offsets < ends)
        & (ends <= pool_bytes)
        & ((offsets - POOL_HEAD_BYTES) % block_bytes == 0)
    )
    return is_block


def _are_chunks(memory: OutsideMemory, starts: Addresses, sizes: Sizes) -> Flags:
    """Chunks of glibc with a map of their own, or whose neighbour says that they are in use."""
    heads = memory.words(starts - np.uint64(CHUNK_HEAD_BYTES))
    lengths = heads & ~np.uint64(CHUNK_FLAGS)
    least = np.maximum(sizes + CHUNK_HEAD_BYTES, SMALLEST_CHUNK).astype(np.uint64)
    is_mapped = heads & np.uint64(CHUNK_IS_MAPPED) != 0
    spare = np.where(is_mapped, np.uint64(2 * PAGE_BYTES), np.uint64(SPARE_BYTES))
    unit = np.where(is_mapped, np.uint64(PAGE_BYTES), np.uint64(ALIGNMENT))
    is_sane = (lengths >= least) & (lengths <= least + spare) & (lengths % unit == 0)
    following = memory.words(
        np.where(is_sane & ~is_mapped, starts - np.uint64(CHUNK_HEAD_BYTES) + lengths, np.uint64(0))
    )
    is_used = (
        (following & np.uint64(1) != 0)
        & (following >= np.uint64(ALIGNMENT))
        & (following < np.uint64(LARGEST_CHUNK))
    )
    chunks: Flags = is_sane & (is_used | is_mapped)
    return chunks
