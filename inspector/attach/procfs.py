"""All facts in ``/proc`` about a process: memory map, files, threads, identity, confinement.

Reads only; stops nothing. Every reader takes any pid and answers with ``None`` or nothing for a
process that is gone or may not be read. Any thread.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.plain_text import printable
from inspector.wire import ffi, lib
from inspector.wire.status import new_error
from inspector.wire.text import take_bytes

_MAPPING: Final = struct.Struct("<4Q3I4s")
"""The numbers of a mapping, as ``ai_memory_map`` has them; its path follows."""
_STATE_FIELD: Final = 0
_START_TIME_FIELD: Final = 19
"""Of ``/proc/PID/stat``, counted after the command's closing parenthesis: field 22 of the
manual."""
YAMA: Final = "/proc/sys/kernel/yama/ptrace_scope"
MAX_MAP_BYTES: Final = 64 << 20
"""A map that is longer is cut; processes have some hundred kilobytes."""


@dataclass(frozen=True, slots=True)
class MappedRange:
    """One line of ``/proc/PID/maps``."""

    low: int
    high: int
    flags: str
    """``r-xp``."""
    offset: int
    device: tuple[int, int]
    inode: int
    path: str
    """As the process sees it; ``""`` for memory without a file."""

    @property
    def is_code(self) -> bool:
        """Whether it may be executed."""
        return "x" in self.flags


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """A process as the kernel sees it."""

    state: str
    """One letter: ``R`` runs, ``S`` sleeps, ``D`` waits uninterruptibly, ``T`` stopped, ``t``
    traced, ``Z`` zombie."""
    start_time: int
    """With the pid the process's identity, clock ticks since boot."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """The system call of a blocked thread."""

    number: int
    """Of the system call; ``-1``: blocked outside of one."""
    arguments: tuple[int, ...]
    stack: int
    at: int
    """Instruction pointer."""


def process_stat(pid: int) -> ProcessStat | None:
    """State and start of a process.

    ``None`` when it does not exist or ``/proc`` may not be read.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    after_command = text.rpartition(")")[2].split()
    if len(after_command) <= _START_TIME_FIELD:
        return None
    return ProcessStat(after_command[_STATE_FIELD], int(after_command[_START_TIME_FIELD]))


def read_bytes(path: str, limit: int = MAX_MAP_BYTES) -> bytes | None:
    """A file of ``/proc``, at most ``limit`` bytes.

    ``None`` when it is not there or may not be read.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a bound is wanted
            return file.read(limit)
    except OSError:
        return None


def mappings(pid: int) -> list[MappedRange] | None:
    """The memory's map; ``None`` when it may not be read, empty for a kernel thread or zombie."""
    buffer = ffi.new("AiBuffer *")
    if lib.ai_memory_map(pid, buffer, new_error()):
        return None
    return list(_mappings(take_bytes(buffer)))


def _mappings(answer: bytes) -> Iterator[MappedRange]:
    at = 0
    while at < len(answer):
        low, high, offset, inode, *device, length, flags = _MAPPING.unpack_from(answer, at)
        at += _MAPPING.size + length
        path = os.fsdecode(answer[at - length : at])
        yield MappedRange(low, high, flags.decode(), offset, (device[0], device[1]), inode, path)


def inside(pid: int, path: str = "") -> Path:
    """Our path to a file that a process names ``path``: through its root.

    Without a path, the root.
    """
    return Path(f"/proc/{pid}/root{path}")


def mapped_file(pid: int, part: MappedRange) -> Path:
    """The file behind a mapping, also when it was replaced.

    Following it takes the right to trace.
    """
    return Path(f"/proc/{pid}/map_files/{part.low:x}-{part.high:x}")


def program(pid: int) -> Path:
    """The program that a process runs, also when its file was replaced."""
    return Path(f"/proc/{pid}/exe")


def program_name(pid: int) -> str:
    """Name of the program's file; ``""`` when that may not be read."""
    try:
        return program(pid).readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""


def working_folder(pid: int) -> str:
    """The folder that a process works in, as that process names it; ``""``: not readable."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def arguments(pid: int, limit: int) -> list[str]:
    """The command line, of at most ``limit`` bytes; one empty argument when it may not be read."""
    return (read_bytes(f"/proc/{pid}/cmdline", limit) or b"").decode(errors="replace").split("\0")


def open_memory(pid: int, mode: int = os.O_RDONLY) -> int:
    """A descriptor of a process's memory. Raises ``OSError``."""
    return os.open(f"/proc/{pid}/mem", mode | os.O_CLOEXEC)


def page_map(pid: int) -> Path:
    """The file with one word a page of memory: present, swapped, shared."""
    return Path(f"/proc/{pid}/pagemap")


def is_socket(pid: int, descriptor: int) -> bool:
    """Whether a descriptor of a process is a socket; also when that cannot be told."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith("socket:")  # noqa: PTH115 - no path of a file
    except OSError:
        return True


def open_descriptors(pid: int) -> tuple[int, int] | None:
    """Open descriptors and the soft limit.

    ``None`` where ``/proc`` does not say, or there is no limit.
    """
    try:
        open_now = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 a list of names, no paths
    except OSError:
        return None
    limit = _soft_limit(pid, "Max open files")
    return None if limit is None else (open_now, limit)


def own_memory(pid: int) -> tuple[int, int] | None:
    """Bytes of memory of a process's own, without files and shared memory, and the most it may use.

    ``None`` where ``/proc`` does not say.
    """
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
        whole = os.sysconf("SC_PHYS_PAGES")
        own, page = int(pages[1]) - int(pages[2]), os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
    return max(own, 0) * page, min(whole * page, _memory_limit(pid))


def _memory_limit(pid: int) -> int:
    """The limit of the process's control group in bytes; without one a very large number."""
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
        group = next(line[3:] for line in groups if line.startswith("0::"))
        return int(Path(f"/sys/fs/cgroup{group}/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError, StopIteration):
        return 1 << 62


def address_space_left(pid: int) -> int | None:
    """Bytes that a process may still map below its limit.

    ``None`` where ``/proc`` does not say, or there is no limit.
    """
    limit, mapped = _soft_limit(pid, "Max address space"), status(pid).get("VmSize", "").split()
    if limit is None or not mapped or not mapped[0].isdecimal():
        return None
    return max(limit - (int(mapped[0]) << 10), 0)


def _soft_limit(pid: int, name: str) -> int | None:
    text = (read_bytes(f"/proc/{pid}/limits") or b"").decode(errors="replace")
    line = next((each for each in text.splitlines() if each.startswith(name)), "")
    soft = line.removeprefix(name).split()[:1]
    return int(soft[0]) if soft and soft[0].isdecimal() else None


def status(pid: int) -> Mapping[str, str]:
    """``/proc/PID/status`` by field; empty when it may not be read."""
    text = (read_bytes(f"/proc/{pid}/status") or b"").decode(errors="replace")
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}


def namespace(pid: int | str, kind: str) -> str | None:
    """Which namespace of a kind (``pid``, ``mnt``, ``user``) a process is in.

    ``None`` when that may not be read.
    """
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return None


def shares_files(pid: int) -> bool:
    """Whether a process sees the same files as we do; also when that cannot be told."""
    theirs = namespace(pid, "mnt")
    if theirs is not None and theirs != namespace("self", "mnt"):
        return False
    try:
        root, ours = Path(f"/proc/{pid}/root").stat(), Path("/").stat()
    except OSError:
        return True
    return (root.st_dev, root.st_ino) == (ours.st_dev, ours.st_ino)


def inner_pid(pid: int) -> int:
    """The pid that a process knows itself by, in the innermost of its namespaces."""
    numbers = status(pid).get("NSpid", "").split()
    return int(numbers[-1]) if numbers else pid


def inner_tid(pid: int, tid: int) -> int:
    """The number by which a thread knows itself, in the innermost of its namespaces."""
    for line in (read_bytes(f"/proc/{pid}/task/{tid}/status") or b"").splitlines():
        if line.startswith(b"NSpid:"):
            return int(line.split()[-1])
    return tid


def owner(pid: int) -> tuple[int, int] | None:
    """Effective user and group of a process."""
    fields = status(pid)
    try:
        return int(fields["Uid"].split()[1]), int(fields["Gid"].split()[1])
    except (KeyError, IndexError, ValueError):
        return None


def processes() -> list[int]:
    """Numbers of all processes, as this process's namespace has them."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 - names suffice


def tasks(pid: int) -> list[int]:
    """Its threads, the main one first."""
    try:
        numbers = sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - names suffice
    except OSError:
        return []
    return [pid, *(each for each in numbers if each != pid)] if pid in numbers else numbers


def parent(pid: int) -> int:
    """The parent of a process; 0 when it is not known."""
    text = (read_bytes(f"/proc/{pid}/stat") or b"").decode(errors="replace")
    words = text.rpartition(")")[2].split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def thread_state(pid: int, tid: int) -> str:
    """One letter, as in ``ProcessStat``; ``""`` when the thread is gone."""
    text = (read_bytes(f"/proc/{pid}/task/{tid}/stat") or b"").decode(errors="replace")
    return next(iter(text.rpartition(")")[2].split()), "")


def thread_name(pid: int, tid: int) -> str:
    """The system's name of a thread; ``""`` when it has ended."""
    return printable(
        (read_bytes(f"/proc/{pid}/task/{tid}/comm") or b"").decode(errors="replace").strip()
    )


def system_call(pid: int, tid: int) -> SystemCall | None:
    """The system call of a thread; ``None`` when it runs, has ended, or may not be read."""
    words = (read_bytes(f"/proc/{pid}/task/{tid}/syscall") or b"").split()
    if len(words) < 3 or words[0] == b"running":
        return None
    try:
        number, *rest = int(words[0]), *(int(word, 16) for word in words[1:])
    except ValueError:
        return None
    return SystemCall(number, tuple(rest[:-2]), rest[-2], rest[-1])


def environment(pid: int) -> Mapping[str, str]:
    """The environment that a process was started with; empty when it may not be read."""
    raw = read_bytes(f"/proc/{pid}/environ") or b""
    pairs = (os.fsdecode(entry).partition("=") for entry in raw.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


def mount_options(pid: int) -> Iterator[tuple[str, frozenset[str]]]:
    """Mounts as the process sees them, with their options."""
    for line in (read_bytes(f"/proc/{pid}/mountinfo") or b"").splitlines():
        words = line.split()
        if len(words) > 5:
            yield os.fsdecode(words[4]), frozenset(words[5].decode(errors="replace").split(","))
