"""Private parts of texts: secrets, paths, names and labels, and their substitutes. Pure."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from inspector.source_places import INSTALLED, STANDARD


class Part(NamedTuple):
    """A private part, which ``--with-KEY`` keeps."""

    key: str
    title: str
    about: str
    """Help of the option."""


COMMAND: Final = Part("command", "command line", "Keep the command line and its secrets.")
PATHS: Final = Part(
    "paths", "paths outside the project", "Keep whole paths, also outside the project."
)
NAMES: Final = Part(
    "names", "home, user and host names", "Keep the home folder, user and host names."
)
LABELS: Final = Part(
    "labels", "labels and keys", "Keep labels of native code and keys of dictionaries."
)
PARTS: Final = (COMMAND, PATHS, NAMES, LABELS)

ELSEWHERE: Final = "…/"
"""Stands for the folders of a path outside the project."""
HOME: Final = "~"
USER: Final = "<user>"
HOST: Final = "<host>"
SECRET: Final = "<secret>"  # noqa: S105 - the substitute
LABEL: Final = "<label>"

PUBLIC_NAMES: Final = frozenset(
    {"root", "user", "users", "nobody", "localhost", "host", "home", "python", "secret", "label"}
)
"""Names that tell nothing about a person."""
LEAST_NAME: Final = 3
"""Shorter names are in too many words."""
_PUBLIC_ROOTS: Final = frozenset({"proc", "dev", "sys"})
_PUBLIC_FOLDERS: Final = frozenset({"/tmp", "/var/tmp", "/run", "/var/run"})  # noqa: S108
"""Folders of every system; their files may have private names."""
_HOMES: Final = re.compile(r"/(?:home|Users)/([^/\s:'\"]+)|/root(?=/|$)")
_PATH: Final = re.compile(r"(?<![\w.~…>/-])(?:/|~/)[\w.@+%,=-][^\s:;'\"()\[\]<>|]*")
_TELLING: Final = re.compile(r"(?i)passw|secret|token|api[_-]?key|credential|://")
"""In every text that the next three find."""
_ASSIGNED: Final = re.compile(
    r"(?i)([\w-]*(?:passw(?:or)?d|secret|token|api[_-]?key|credential)[\w-]*=)(\S+)"
)
_OPTION: Final = re.compile(
    r"(?i)(--?[\w-]*(?:passw(?:or)?d|secret|token|api[_-]?key|credential)[\w-]*\s+)(\S+)"
)
_IN_URL: Final = re.compile(r"(?<=://)([^/\s@]+)(?=@)")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”")
_KEY: Final = re.compile(r"\[([^\]\n]{1,60})\](?= of a )|“([^”]*)”")
"""A key of a dictionary in a path of holders, and a label of native code."""
_BROAD: Final = frozenset({"/", "/home", "/root", "/usr", "/tmp", "/Users", "/opt", "/srv", "/var"})  # noqa: S108


@dataclass(frozen=True, slots=True)
class Private:
    """Known private names and folders of the process and of the viewer."""

    users: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    homes: frozenset[str] = frozenset()
    """Absolute, without a slash at the end."""
    projects: frozenset[str] = frozenset()
    """Folders whose paths are shown, from there on."""


class Texts:
    """Replaces private parts of texts and remembers them; one thread."""

    def __init__(self, private: Private, kept: Collection[str]) -> None:
        """``kept``: keys of the parts that stay."""
        self.found: defaultdict[str, set[str]] = defaultdict(set)
        """Private texts by the key of their part."""
        self._kept = frozenset(kept)
        self._homes = sorted(private.homes - _BROAD, key=len, reverse=True)
        projects = private.projects - _BROAD - private.homes
        self._projects = sorted(projects, key=len, reverse=True)
        self._users = {each for each in private.users if _is_telling(each)}
        self._hosts = {each for each in private.hosts if _is_telling(each)}
        self._secrets: set[str] = set()
        self._names: re.Pattern[str] | None = _names(self._users | self._hosts)
        self._known: dict[str, str] = {}

    def learn_command(self, command: str) -> None:
        """Take the values of secret options, and the folder of the script."""
        if COMMAND.key not in self._kept:
            found = {match[2] for each in (_ASSIGNED, _OPTION) for match in each.finditer(command)}
            found |= {match[1] for match in _IN_URL.finditer(command)}
            self._secrets |= {each.strip("'\"") for each in found if len(each) >= LEAST_NAME}
            self._known.clear()
        script = next((each for each in _words(command)[1:] if each.endswith(".py")), "")
        folder = str(PurePosixPath(script).parent)
        if folder.startswith("/") and folder not in {*_BROAD, *self._homes, *self._projects}:
            self._projects = sorted({*self._projects, folder}, key=len, reverse=True)
            self._known.clear()

    def learn_users(self, path: str) -> None:
        """Take the users in whose home a path lies."""
        new = {match[1] for match in _HOMES.finditer(path) if match[1] and _is_telling(match[1])}
        if not new <= self._users:
            self._users |= new
            self._names = _names(self._users | self._hosts)
            self._known.clear()

    def command(self, command: str) -> str:
        """A command line, which is left out as a whole."""
        if COMMAND.key in self._kept or not command:
            return self.text(command)
        self.found[COMMAND.key].add(command)
        return ""

    def text(self, text: str) -> str:
        """A sentence or a name, without secrets, paths outside the project, and names."""
        known = self._known.get(text)
        if known is None:
            self.learn_users(text)
            known = self._known[text] = self._replaced(text)
        return known

    def path(self, path: str) -> str:
        """The whole of ``path`` is one path, blanks in it or not."""
        if PATHS.key in self._kept or not path.startswith("/"):
            return self.text(path)
        self.learn_users(path)
        return self._without_names(self._shortened(path))

    def labelled(self, text: str) -> str:
        """A sentence whose quoted parts are labels or keys of the program."""
        text = self.text(text)
        return text if LABELS.key in self._kept else _QUOTED.sub(self._labelled, text)

    def label(self, label: str) -> str:
        """A label as a whole."""
        if LABELS.key in self._kept or label == LABEL:
            return self.text(label)
        self.found[LABELS.key].add(label)
        return LABEL

    def _replaced(self, text: str) -> str:
        if COMMAND.key not in self._kept:
            text = self._without_secrets(text)
        if LABELS.key not in self._kept:
            text = _KEY.sub(self._labelled, text)
        if "/" in text and PATHS.key not in self._kept:
            text = _PATH.sub(lambda match: self._shortened(match[0]), text)
        return self._without_names(text)

    def _labelled(self, match: re.Match[str]) -> str:
        """The same brackets or quotes around the substitute; an index of a list stays."""
        inner = match[0][1:-1]
        if inner in (LABEL, "?") or inner.removeprefix("-").isdigit():
            return match[0]
        self.found[LABELS.key].add(inner)
        return f"{match[0][0]}{LABEL}{match[0][-1]}"

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, SECRET)
        if _TELLING.search(text) is None:
            return text
        for pattern in (_ASSIGNED, _OPTION):
            for match in pattern.finditer(text):
                if match[2] != SECRET:
                    self.found[COMMAND.key].add(match[2])
            text = pattern.sub(lambda match: match[1] + SECRET, text)
        return _IN_URL.sub(SECRET, text)

    def _shortened(self, path: str) -> str:
        """The part of a path that tells nothing private: below the project or a library folder."""
        if path.split("/", 2)[1] in _PUBLIC_ROOTS or path.rstrip("/") in _PUBLIC_FOLDERS:
            return path
        for folder in (*INSTALLED, *STANDARD):
            _, found, below = path.rpartition(folder)
            if found:
                self.found[PATHS.key].add(path)
                return f"{ELSEWHERE}{folder[1:]}{below}"
        for project in self._projects:
            if path.startswith(f"{project}/"):
                self.found[PATHS.key].add(project)
                return path[len(project) + 1 :]
        self.found[PATHS.key].add(path)
        return f"{ELSEWHERE}{path.rstrip('/').rpartition('/')[2]}"

    def _without_names(self, text: str) -> str:
        if NAMES.key in self._kept:
            return text
        for home in self._homes:
            if home in text:
                self.found[NAMES.key].add(home)
                text = text.replace(home, HOME)
        text = _HOMES.sub(self._home, text)
        return self._names.sub(self._name, text) if self._names is not None else text

    def _home(self, match: re.Match[str]) -> str:
        self.found[NAMES.key].add(match[0])
        return HOME

    def _name(self, match: re.Match[str]) -> str:
        self.found[NAMES.key].add(match[0])
        return HOST if match[0] in self._hosts else USER


def _is_telling(name: str) -> bool:
    return len(name) >= LEAST_NAME and name.casefold() not in PUBLIC_NAMES


def _names(names: Collection[str]) -> re.Pattern[str] | None:
    """Finds any of ``names`` that is no part of a longer word."""
    if not names:
        return None
    either = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])")


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # an unbalanced quote
        return command.split()
