"""Files of a source distribution beside git's, so that it builds without a network.

The crates that the native library needs, vendored; the C header, for the pure wheel; cffi's
backends, as far as they were fetched.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from building import backends
from building.native import HEADER, NATIVE
from building.shared_files import copy_made
from building.targets import MACHINES

VENDOR: Final = "vendor"
OF_TESTS: Final = re.compile(r"^\[\[?(dev-dependencies|bench)\]\]?\n.*?(?=^\[|\Z)", re.M | re.S)
"""Tables of a crate's manifest that only tests and benchmarks use."""


def complete(base: Path) -> None:
    """Complete the tree of a source distribution."""
    _copy_header(base)
    _vendor(base / "native")
    copy_made(base)
    shipped = base / "building" / backends.SHIPPED.name
    for machine in MACHINES:
        for minor in backends.pins(machine)[1]:
            kept = backends.kept_backend(minor, machine)
            if kept is None:
                print(f"without {backends.file_name(minor, machine)}", file=sys.stderr)
                continue
            shipped.mkdir(exist_ok=True)
            shutil.copy(kept, shipped / kept.name)


def _copy_header(base: Path) -> None:
    to = base / HEADER.relative_to(NATIVE.parent)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(HEADER, to)


def _vendor(workspace: Path) -> None:
    """Copy the crates into the tree, and have cargo take them from there.

    Crates of tests and benchmarks are left out, with the workspace members that are nothing else:
    they are four times as many.
    """
    for manifest in workspace.glob("crates/*/Cargo.toml"):
        _write_anew(manifest, OF_TESTS.sub("", manifest.read_text(encoding="utf-8")))
    whole = workspace / "Cargo.toml"
    text = whole.read_text(encoding="utf-8")
    _write_anew(whole, re.sub(r"^members = .*$", 'members = ["crates/*"]', text, flags=re.M))
    before = _versions(workspace)
    words = ["cargo", "vendor", "--quiet", "--versioned-dirs", VENDOR]
    said = subprocess.run(words, cwd=workspace, check=True, stdout=subprocess.PIPE, text=True)
    if added := _versions(workspace) - before:
        raise SystemExit(f"the lock file changed: {added}")
    settings = workspace / ".cargo" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(
        '[source.crates-io]\nreplace-with = "vendored-sources"\n\n'
        f'[source.vendored-sources]\ndirectory = "{VENDOR}"\n\n[net]\noffline = true\n',
        encoding="utf-8",
    )
    if said.stdout and "git+" in said.stdout:
        raise SystemExit("a crate of a git repository cannot be vendored by this file")


def _write_anew(path: Path, text: str) -> None:
    """Write a file that may be a hard link to the file of the checkout."""
    path.unlink()
    path.write_text(text, encoding="utf-8")


def _versions(workspace: Path) -> set[tuple[str, str]]:
    lock = tomllib.loads((workspace / "Cargo.lock").read_text(encoding="utf-8"))
    return {(each["name"], each["version"]) for each in lock["package"]}
