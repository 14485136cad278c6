"""Tries the built wheel in a fresh environment of each Python that is found.

Without Qt, without numpy, without a checkout.

Run by ``./dev wheel`` with the folder that holds the wheel. Prints each trial; exits 1 at the first
failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
FETCHED = Path(
    os.environ.get("ARC_INSPECTOR_INTERPRETERS")
    or Path(__file__).resolve().parents[2] / "build" / "interpreters"
)

PROGRAM = """
import json, sys
from inspector.runtime.samples import TodoList
import inspector.agent
todo = TodoList()
todo.add_text("water the plants")
heavy = [name for name in "PySide6 numpy pyqtgraph psutil typer".split() if name in sys.modules]
print(json.dumps({"running": inspector.agent.is_running(), "items": len(todo), "heavy": heavy}))
"""


def interpreters() -> list[str]:
    """Pythons that can make environments, one a version.

    On the path, where pyenv keeps them, or fetched for the tests.
    """
    kept = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin/python3")
    )
    found: dict[str, str] = {}
    fetched = [
        str(FETCHED / f"python{version}" / "usr" / "bin" / f"python{version}")
        for version in VERSIONS
    ]
    for command in [
        *(f"python{version}" for version in VERSIONS),
        *map(str, kept),
        *fetched,
        sys.executable,
    ]:
        version = version_of(command)
        if version in VERSIONS:
            found.setdefault(version, command)
    return list(found.values())


def version_of(command: str) -> str:
    """``3.12``, or an empty text when it does not run or cannot make environments."""
    probe = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run(
            [command, "-c", probe], capture_output=True, text=True, check=False
        ).stdout.strip()
    except OSError:
        return ""


def run(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run and keep the output."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("ARC_INSPECTOR")
    }
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**clean, **(env or {})},
        cwd=tempfile.gettempdir(),
    )


def expect(condition: bool, sentence: str, evidence: object = "") -> None:
    """Stop with the sentence when it is not so."""
    if not condition:
        raise SystemExit(f"try_wheel: not so: {sentence}\n{evidence}")


def try_in(python: str, wheel: Path) -> None:
    """Install into a fresh environment and use the parts that a target uses."""
    with tempfile.TemporaryDirectory() as folder:
        made = run(python, "-m", "venv", "--without-pip", folder)
        expect(made.returncode == 0, f"{python} makes an environment", made.stderr)
        bin_dir = Path(folder) / "bin"
        inner = str(bin_dir / "python")
        installed = run(
            sys.executable,
            "-m",
            "pip",
            "--python",
            inner,
            "install",
            "-q",
            "--disable-pip-version-check",
            str(wheel),
        )
        expect(installed.returncode == 0, f"the wheel installs in {python}", installed.stderr)
        for wanted in (False, True):
            child = run(inner, "-c", PROGRAM, env={"ARC_INSPECTOR": "1"} if wanted else {})
            expect(
                child.returncode == 0 and not child.stderr,
                ("a program over the runtime ends well and says nothing"),
                child.stderr,
            )
            answer = json.loads(child.stdout)
            wished = {"running": wanted, "items": 1, "heavy": []}
            expect(
                answer == wished,
                (f"ARC_INSPECTOR alone decides whether the agent runs ({wanted})"),
                answer,
            )
        bare = run(str(bin_dir / "arc-inspector"), "ps")
        lines = bare.stderr.strip().splitlines()
        is_told = bare.returncode == 3 and len(lines) == 1 and "arc-inspector[cli]" in lines[0]
        expect(is_told, "without the commands one line says what to install", bare)
        shown = run(str(bin_dir / "arc-inspector"), "--help")
        expect(shown.returncode == 0 and "  check " in shown.stdout, "it prints help", shown)
        print(f"{version_of(python)}: ok")


def expect_resources(wheel: Path) -> None:
    """The wheel holds the window's fonts and icons."""
    root = Path(__file__).resolve().parents[2] / "resources"
    wanted = {
        f"inspector/ui/resources/{path.relative_to(root)}"
        for name in ("icons", "themes")
        for path in (root / name).iterdir()
    }
    with zipfile.ZipFile(wheel) as archive:
        missing = wanted - set(archive.namelist())
    expect(bool(wanted) and not missing, "the wheel has every icon and theme", missing)


def main() -> None:
    """Try the one wheel everywhere."""
    wheels = list(Path(sys.argv[1]).resolve().glob("*.whl"))
    expect(len(wheels) == 1, "one wheel was built", wheels)
    expect(
        "-cp311-abi3-" in wheels[0].name, "the wheel is for all Pythons from 3.11", wheels[0].name
    )
    expect_resources(wheels[0])
    for python in interpreters():
        try_in(python, wheels[0])


if __name__ == "__main__":
    main()
