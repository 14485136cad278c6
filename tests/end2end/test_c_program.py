"""The example program in C, compiled as C and as C++, and looked at while it runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from building import native
from building.c_library import HEADER, SYSTEM, install, pkg_config
from building.targets import chosen_target
from tests.helpers.command_line import run_command
from tests.helpers.stepped import running, step
from tests.helpers.targets import PATIENCE_SECS, ROOT

EXAMPLE = ROOT / "docs" / "examples" / "connections.c"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
COMPILERS = {
    "gcc": ["gcc", "-std=c99"],
    "g++": ["g++", "-std=c++11", "-x", "c++"],
    "clang": ["clang", "-std=c99"],
    "clang++": ["clang++", "-std=c++11", "-x", "c++"],
}
INSTALLED = [name for name in COMPILERS if shutil.which(name)]
"""clang is tried where it is installed; the build itself needs gcc."""


def compiled(compiler: str, prefix: Path) -> Path:
    """The example, linked with the static library of this build."""
    install(prefix, ())
    program = prefix / f"connections-{compiler}"
    library = str(native.library(chosen_target()))
    words = [*COMPILERS[compiler], *STRICT, f"-I{prefix / 'include'}", str(EXAMPLE)]
    words += ["-x", "none", library, *SYSTEM.split(), "-Wl,--gc-sections,-s", "-o", str(program)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_SECS)
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize("compiler", INSTALLED)
def test_a_viewer_sees_the_handles_of_the_program_with_their_counts(
    compiler: str, tmp_path: Path
) -> None:
    with running(compiled(compiler, tmp_path), tmp_path) as child:
        assert step(child, "open 5") == [5]
        assert step(child, "share") == [5]
        assert step(child, "share") == [5]
        seen = run_command("handles", child.pid, "--json")
        assert seen.status == 0, seen
        rows = seen.json["handles"]
        assert [row["type"] for row in rows] == ["Connection"] * 5
        assert sorted(row["strong"] for row in rows) == [1, 1, 1, 1, 3]
        step(child, "close")
        step(child, "close")
        assert step(child, "close") == [4]
        seen = run_command("handles", child.pid, "--json")
        assert [row["strong"] for row in seen.json["handles"]] == [1, 1, 1, 1]
        births = tmp_path / "births"
        words = ("--format", "collapsed", "--with-paths", "-o", str(births))
        assert run_command("export", child.pid, *words).status == 0
        assert "open_connection" in births.read_text(encoding="utf-8")


@pytest.mark.parametrize("compiler", INSTALLED)
def test_the_header_alone_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    source = tmp_path / "alone.c"
    source.write_text("#include <arc_inspector.h>\n", encoding="utf-8")
    words = [*COMPILERS[compiler], *STRICT, f"-I{HEADER.parent}", "-fsyntax-only", str(source)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_SECS)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_function_of_the_header_says_what_it_does() -> None:
    lines = HEADER.read_text(encoding="utf-8").splitlines()
    functions = [at for at, line in enumerate(lines) if " ai_" in line and not line[0].isspace()]
    assert len(functions) > 20
    assert [lines[at] for at in functions if lines[at - 1].strip() != "*/"] == []


def test_pkg_config_names_the_installed_folders(tmp_path: Path) -> None:
    text = pkg_config(tmp_path)
    assert f"prefix={tmp_path}\n" in text
    assert "Libs: -L${libdir} -larc_inspector\n" in text
