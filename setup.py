"""Builds the packages: the code is in ``building``, everything else in pyproject.toml."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # a build front end leaves the folder of the project out

from building import native, pure, source_tree, zig  # noqa: E402
from building.backends import copy_backends  # noqa: E402
from building.long_description import long_description  # noqa: E402
from building.shared_files import data_files  # noqa: E402
from building.targets import chosen_target  # noqa: E402

TARGET = chosen_target()
RESOURCES = ("fleet", "icons", "themes")
BACKENDS = Path("inspector", "attach", "backends")


def copy_resources(into: Path) -> None:
    """Put the icons and themes beside the window's code, where an installed package finds them."""
    for name in RESOURCES:
        shutil.copytree(
            ROOT / "resources" / name,
            into / "inspector" / "ui" / "resources" / name,
            dirs_exist_ok=True,
        )


class BuildNative(build_ext):
    def run(self) -> None:
        native.cargo(TARGET)
        native.write_source()
        native.write_stub()
        copy_resources(ROOT)
        if not TARGET.is_portable:
            copy_backends(ROOT / BACKENDS, TARGET.machine)
        super().run()

    def build_extensions(self) -> None:
        if TARGET.is_portable:
            words = zig.compiler(TARGET)
            self.compiler.set_executables(compiler_so=words, linker_so=[*words, "-shared"])
            for extension in self.extensions:
                extension.extra_objects.append(
                    str(zig.unwinder(TARGET, Path(self.build_temp).absolute()))
                )
        else:
            # an interpreter that lies in a person's folder gives that folder to its extensions
            self.compiler.linker_so = [
                word for word in self.compiler.linker_so if not word.startswith("-Wl,-rpath")
            ]
        super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        super().build_extension(extension)
        if TARGET.is_portable:
            zig.strip_debug(Path(self.get_ext_fullpath(extension.name)))


class BuildPython(build_py):
    def run(self) -> None:
        if not TARGET.is_pure:
            native.cargo(TARGET)
            native.write_stub()
        copy_resources(ROOT)
        super().run()
        built = Path(self.build_lib)
        if TARGET.is_pure:
            shutil.rmtree(built / BACKENDS, ignore_errors=True)
            pure.write_stand_in(built / "inspector")
        elif not self.editable_mode:
            copy_backends(built / BACKENDS, TARGET.machine)
        if not TARGET.is_pure and not self.editable_mode:
            # read by `site` at start of the interpreter; does nothing unless ARC_INSPECTOR is set
            shutil.copy(ROOT / "arc_inspector.pth", built / "arc_inspector.pth")


class SourceTree(sdist):
    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        source_tree.complete(Path(base_dir))


class Abi3Wheel(bdist_wheel):
    def finalize_options(self) -> None:
        if TARGET.is_portable:
            self.plat_name = TARGET.tag
        if not TARGET.is_pure:
            self.py_limited_api = "cp311"
        super().finalize_options()


def extension() -> Extension:
    """The one shared object: cffi's module, and the hooks in C."""
    python = native.NATIVE / "python"
    library = str(native.library(TARGET))
    strip = "" if TARGET.is_portable else "--strip-debug,"
    return Extension(
        "inspector._native",
        sources=[
            "inspector/_native.c",
            *sorted(str(source.relative_to(ROOT)) for source in python.glob("*.c")),
        ],
        include_dirs=["native/include", "native/python"],
        extra_objects=[library],
        depends=[
            library,
            str(native.EXPORTS),
            *sorted(str(header.relative_to(ROOT)) for header in python.glob("*.h")),
        ],
        libraries=["pthread", "dl", "m"],
        define_macros=[("Py_LIMITED_API", "0x030B0000")],
        py_limited_api=True,
        extra_compile_args=["-O2"],
        # names of functions stay, and native stacks show them; files and lines are half of the
        # size. The names are of this library alone: no other library of a target finds them
        extra_link_args=[f"-Wl,{strip}--version-script={native.EXPORTS},--gc-sections"],
    )


def library(name: str, source: Path) -> Extension:
    """A library that programs of other languages load: no module of Python's."""
    built, exports = str(native.library(TARGET)), source.with_name("exports.map")
    strip = "" if TARGET.is_portable else "--strip-debug,"
    return Extension(
        f"inspector.{name}",
        sources=[str(source.relative_to(ROOT))],
        include_dirs=["native/include"],
        extra_objects=[built],
        depends=[built, str(exports)],
        libraries=["pthread", "dl", "m"],
        define_macros=[("Py_LIMITED_API", "0x030B0000")],
        py_limited_api=True,
        extra_compile_args=["-O2"],
        extra_link_args=[f"-Wl,{strip}--version-script={exports},--gc-sections"],
    )


def extensions() -> Iterator[Extension]:
    """The shared objects of the target."""
    if TARGET.is_pure:
        return
    yield extension()
    if TARGET.machine == "x86_64":  # the stand-ins of the first are assembly
        yield library("_preload", native.PRELOAD / "preload.c")
        yield library("_jvm", native.JVM / "agent.c")


setup(
    long_description=long_description(),
    long_description_content_type="text/markdown",
    data_files=data_files(),
    ext_modules=list(extensions()),
    cmdclass={
        "build_ext": BuildNative,
        "build_py": BuildPython,
        "bdist_wheel": Abi3Wheel,
        "sdist": SourceTree,
    },
)
