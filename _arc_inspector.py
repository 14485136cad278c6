"""Loads ``inspector`` in a target under a name of its own.

The program may have a module of any name, ``inspector`` among them.

PYTEST_DONT_REWRITE: the agent may have imported this before pytest looks at its plugins.

The package's modules become ``_arc_inspector.agent`` and so on. Their ``import`` statements go
through ``World.load``, which knows three kinds of names. Our own are found where this file lies, or
among the modules that were brought into the process. Modules of the standard library that the
program hides by files of its own, has replaced, or does not have, are loaded as private copies.
Every other module is imported as always. ``sys.modules`` has no name of the program's from it,
``sys.meta_path`` no finder. A program that imports ``inspector`` and means this package gets the
same modules under that name.

Run as a script it is the way to start our code by path: ``python …/_arc_inspector.py MODULE
[WORDS…]`` calls ``MODULE.main(words)``. It needs only modules that are built into every
interpreter: nothing that a program's folder could hide.
"""

from __future__ import annotations

import builtins
import os  # frozen into every interpreter
import sys

TYPE_CHECKING = False  # typing is not built in
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any

bootstrap: Any = sys.modules["_frozen_importlib"]
"""``importlib._bootstrap``, which every interpreter has."""
external: Any = sys.modules["_frozen_importlib_external"]
OWN = "inspector"
ALIAS = "_arc_inspector"
COPIES = "_arc_inspector_copies"
"""The package of private copies of the standard library."""
MARK = "IS_ARC_INSPECTOR"
"""A file that our package has and a program's module of the same name lacks."""
BACKEND = "_cffi_backend"
CHANGED_BY_PATCHES = {
    "_thread": ("start_new_thread",),
    "threading": ("_start_new_thread", "_start_joinable_thread"),
    "time": ("sleep",),
}
"""Functions of the interpreter's own that packages such as gevent replace. With theirs our thread
would run on a thread of the program."""
SOURCE = ".py"
EXTENSION = ".abi3.so"


class Finder:
    """Finds modules in one folder.

    It is registered in ``sys.path_importer_cache`` under a path that only our packages have.
    """

    def __init__(self, world: World, folder: str) -> None:
        """``folder`` is a directory, or the beginning of names of modules that were brought."""
        self.world = world
        self.folder = folder

    def find_spec(self, name: str, target: ModuleType | None = None) -> Any:
        """For the import system; ``None``: not here."""
        root, _, rest = name.partition(".")
        if root == OWN:  # the program imports our package under its public name
            alias = f"{ALIAS}.{rest}"
            return (
                bootstrap.ModuleSpec(name, Same(alias))
                if self.find_spec(alias) is not None
                else None
            )
        return self.world.spec_in(self.folder, name)

    def invalidate_caches(self) -> None:
        """It has none."""


class Same:
    """Gives a module that is there under another name."""

    def __init__(self, alias: str) -> None:
        """``alias`` is its own name."""
        self.alias = alias
        self.spec: Any = None

    def create_module(self, spec: Any) -> Any:
        """The module itself; its own spec is put back in ``exec_module``."""
        bootstrap._gcd_import(self.alias)
        module = sys.modules[self.alias]
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It was executed already."""
        module.__spec__ = self.spec


class Loader:
    """Loads a module from source; its import statements use the world.

    Not a child of ``SourceFileLoader``: import hooks such as pytest's replace its children.
    """

    def __init__(self, world: World, path: str, brought: Any = None) -> None:
        """``brought`` is its code or source; without it the file at ``path`` is read."""
        self.world = world
        self.path = path
        self.brought = brought

    def create_module(self, spec: Any) -> None:
        """The usual module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its code."""
        scope = module.__dict__
        scope["__builtins__"] = self.world.builtins
        code = self.get_code(module.__name__)
        if module.__name__ == f"{COPIES}.typing":
            sys.modules.setdefault("typing", module)  # lent, as in `import_own`
        exec(code, scope)  # noqa: S102 - this is what importing is
        if module.__name__ == f"{COPIES}.dataclasses":
            scope["sys"] = SysOfCopies()  # it looks there for typing

    def get_code(self, name: str) -> Any:
        """The compiled module."""
        if self.brought is None:
            return external.SourceFileLoader(name, self.path).get_code(name)
        if isinstance(self.brought, str):
            self.brought = compile(self.brought, self.path, "exec", dont_inherit=True)
        return self.brought


class ModulesOfCopies:
    """``sys.modules`` as private copies see it: a copy before a module of the program."""

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dict."""
        return sys.modules.get(f"{COPIES}.{name}") or sys.modules.get(name, default)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> Any:
        return self.get(name)


class SysOfCopies:
    """``sys`` with that."""

    modules = ModulesOfCopies()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


class BuiltinCopy:
    """Makes a built-in module again: the program has changed its own."""

    def create_module(self, spec: Any) -> Any:
        """Initialise it again, under its own name."""
        own = bootstrap.ModuleSpec(
            spec.name.rpartition(".")[2], bootstrap.BuiltinImporter, origin="built-in"
        )
        return bootstrap.BuiltinImporter.create_module(own)

    def exec_module(self, module: ModuleType) -> None:
        """Run its second phase."""
        bootstrap.BuiltinImporter.exec_module(module)


class World:
    """The import system as our modules see it. One a process; any thread."""

    def __init__(self, folder: str, brought: Mapping[str, Any], copies: Mapping[str, Any]) -> None:
        """``folder`` has the package, unless its modules were ``brought``.

        ``copies`` are modules of the standard library that were.

        Both by name: a pair of path and code or source.
        """
        self.folder = folder
        self.brought = brought
        self.copies = copies
        self.standard: str = (
            getattr(sys, "_stdlib_dir", None) or str(os.__file__).rpartition("/")[0]
        )
        self.has_shadows = False
        self.builtins = {**vars(builtins), "__import__": self.load}
        self.entries: dict[str, Finder] = {}
        self.backends = f"{folder}/attach/backends"
        sys.modules[COPIES] = made = type(sys)(COPIES)
        made.__path__ = [self.entry(self.standard)]

    def load(
        self,
        name: str,
        scope: Any = None,
        local: Any = None,
        names: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """``__import__`` of our modules and of the private copies."""
        root, _, rest = name.partition(".")
        if level:
            return bootstrap.__import__(name, scope, local, names or (), level)
        if root == OWN:
            self.register()
            if rest == "_native" or "_native" in (names or ()):
                return self.load_native(names)
            name = f"{self.own_root()}.{rest}" if rest else self.own_root()
        elif root in sys.stdlib_module_names and self.needs_copy(root, name):
            self.register()
            return self.copied(name, names or ())
        return bootstrap.__import__(name, scope, local, names or (), 0)

    def load_native(self, names: Sequence[str] | None) -> Any:
        """The native library, which needs cffi's backend: the program's, else ours.

        Ours is removed again afterwards: a cffi that the program finds later brings its own.
        """
        root = self.own_root()
        if f"{root}._native" not in sys.modules:
            is_lent = BACKEND not in sys.modules and self.lend_backend()
            before = [
                (name, sys.modules.get(name)) for name in (f"{OWN}._native", f"{OWN}._native.lib")
            ]
            try:
                bootstrap._gcd_import(f"{root}._native")
            finally:
                if is_lent:
                    del sys.modules[BACKEND]
                if root == ALIAS:  # cffi has put it under the name that it was built for
                    put_back(before)
        return bootstrap.__import__(
            root if names and "_native" in names else f"{root}._native", None, None, names or (), 0
        )

    def lend_backend(self) -> bool:
        """Load our backend for this interpreter unless the program has a backend."""
        if bootstrap._find_spec(BACKEND, None) is not None:
            return False
        for suffix in external.EXTENSION_SUFFIXES:
            place = f"{self.backends}/{BACKEND}{suffix}"
            if external._path_isfile(place):
                spec = external.spec_from_file_location(BACKEND, place)
                sys.modules[BACKEND] = module = bootstrap.module_from_spec(spec)
                spec.loader.exec_module(module)
                return True
        raise ImportError(
            ("the program has no cffi, and there is none of ours that fits its interpreter"),
            name=BACKEND,
        )

    def own_root(self) -> str:
        """The name that our package has.

        Its public one when the program imported it before we loaded anything that counts.
        """
        if f"{ALIAS}.wire" in sys.modules or not hasattr(sys.modules.get(OWN), MARK):
            return ALIAS
        return OWN

    def needs_copy(self, root: str, name: str) -> bool:
        """Whether the program's standard module is changed or must not be imported for us."""
        if root == "importlib":
            # its parts are one with the interpreter; only a packed program lacks it
            return root not in sys.modules and bootstrap._find_spec(root, None) is None
        if root in sys.modules and not self.is_genuine(root, sys.modules[root]):
            return True
        if name == "dataclasses" and self.needs_copy("typing", "typing"):
            return True
        if name in sys.modules or root in sys.builtin_module_names:
            return False
        if self.has_shadows:  # also frozen modules: they import modules that are not frozen
            return True
        found = None if root in sys.modules else bootstrap._find_spec(root, None)
        return root not in sys.modules and (found is None or not self.is_ours(found.origin))

    def is_genuine(self, root: str, module: Any) -> bool:
        """Whether a program's module is the standard library's, unchanged in the parts we use."""
        functions = [getattr(module, name, print) for name in CHANGED_BY_PATCHES.get(root, ())]
        if any(type(each) is not type(print) for each in functions):
            return False
        return self.is_ours(getattr(getattr(module, "__spec__", None), "origin", None))

    def is_ours(self, origin: object) -> bool:
        """Whether a module from there is of the standard library."""
        if not isinstance(origin, str) or self.is_frozen_program():
            return isinstance(origin, str)
        is_installed = "/site-packages/" in origin or "/dist-packages/" in origin
        return (
            origin in ("built-in", "frozen")
            or "/lib-dynload/" in origin
            or (origin.startswith(f"{self.standard}/") and not is_installed)
        )

    def is_frozen_program(self) -> bool:
        """Whether the program was packed with its own choice of the standard library."""
        return bool(getattr(sys, "frozen", False))

    def copied(self, name: str, names: Sequence[str]) -> Any:
        """A private copy of a module, as ``__import__`` answers."""
        root = name.partition(".")[0]
        if root == "importlib" and f"{COPIES}.importlib" not in sys.modules:
            stand_in_for_importlib()
        found = bootstrap._gcd_import(f"{COPIES}.{name}")
        if not names:
            return sys.modules[f"{COPIES}.{root}"]
        return bootstrap._handle_fromlist(found, names, bootstrap._gcd_import)

    def spec_in(self, folder: str, name: str) -> Any:
        """The place of a module of ours, or of a copy.

        Brought, in a file, in an extension file, or built in.
        """
        root, _, rest = name.partition(".")
        tail = name.rpartition(".")[2]
        if (
            root == COPIES
            and rest not in self.copies
            and not self.in_folder(folder, tail)
            and rest not in sys.builtin_module_names
        ):
            raise ModuleNotFoundError(f"the program has no module {rest}", name=rest)
        given = (self.copies if root == COPIES else self.brought).get(rest)
        if root == COPIES and rest in sys.builtin_module_names:
            return bootstrap.ModuleSpec(name, BuiltinCopy(), origin="built-in")
        if given is not None and not (root == COPIES and self.in_folder(folder, tail)):
            path, content = given
            is_code = path.endswith(SOURCE)
            return self.spec(
                name,
                path,
                Loader(self, path, content)
                if is_code
                else external.ExtensionFileLoader(name, path),
            )
        found = self.in_folder(folder, tail)
        if found.endswith(SOURCE):
            return self.spec(name, found, Loader(self, found))
        return self.spec(name, found, external.ExtensionFileLoader(name, found)) if found else None

    def in_folder(self, folder: str, tail: str) -> str:
        """The file of a module; ``""``: there is none."""
        places = [f"{folder}/{tail}/__init__{SOURCE}", f"{folder}/{tail}{SOURCE}"]
        places += [
            f"{each}/{tail}{suffix}"
            for each in (folder, f"{folder}/lib-dynload")
            for suffix in external.EXTENSION_SUFFIXES
        ]
        return next((place for place in places if external._path_isfile(place)), "")

    def spec(self, name: str, path: str, loader: Any) -> Any:
        """A spec with a place."""
        is_package = path.endswith(f"/__init__{SOURCE}")
        inside = [self.entry(path.rpartition("/")[0])] if is_package else None
        return external.spec_from_file_location(
            name, path, loader=loader, submodule_search_locations=inside
        )

    def entry(self, folder: str) -> str:
        """The path under which a folder's finder is known."""
        path = f"{folder}/."
        cache: dict[str, Any] = sys.path_importer_cache
        cache[path] = self.entries[path] = Finder(self, folder)
        return path

    def register(self) -> None:
        """Register the finders again, in case the program has emptied the cache."""
        if next(iter(self.entries)) not in sys.path_importer_cache:
            vars(sys)["path_importer_cache"].update(self.entries)

    def forget(self) -> None:
        """Take the finders away."""
        for entry in self.entries:
            sys.path_importer_cache.pop(entry, None)

    def import_own(self, name: str) -> Any:
        """Our module with that public name.

        From 3.12 on C code of the interpreter imports ``typing`` when classes are made. It is lent
        our copy meanwhile: the program may have a module of that name, or none.
        """
        copy = f"{COPIES}.typing"
        if copy in sys.modules:
            sys.modules.setdefault("typing", sys.modules[copy])
        try:
            self.load(name)
        finally:
            if copy in sys.modules and sys.modules.get("typing") is sys.modules[copy]:
                del sys.modules["typing"]
        return sys.modules[f"{self.own_root()}{name.removeprefix(OWN)}"]

    def adopt(self, public: ModuleType) -> None:
        """The program imports our package publicly: it gets the loaded package, if complete."""
        if f"{ALIAS}.wire" in sys.modules:
            root: Any = sys.modules[ALIAS]
            place = self.entry(str(public.__file__).rpartition("/")[0])
            root.__path__ = list(dict.fromkeys((*root.__path__, place)))
            setattr(root, MARK, True)
            sys.modules[OWN] = root

    def look_for_shadows(self, folders: Sequence[str]) -> None:
        """Find out whether a folder before the standard library hides one of its modules.

        If so, standard modules that are not imported yet are imported as copies: each later import
        of the program must find the same module as without us.
        """
        for folder in dict.fromkeys(folders):
            try:
                names = os.listdir(folder or ".")  # noqa: PTH208 - pathlib is not frozen
            except OSError:
                continue
            for name in names:
                stem = name.partition(".")[0]
                is_standard = (
                    stem in sys.stdlib_module_names
                    and stem not in sys.builtin_module_names
                    and stem not in sys.modules
                )
                if is_standard and self.in_folder(folder or ".", stem):
                    self.has_shadows = True
                    return


def set_up(
    module: ModuleType, folder: str, brought: Mapping[str, Any], copies: Mapping[str, Any]
) -> World:
    """Make the module the root of our package under its private name."""
    world = World(folder, brought, copies)
    root: Any = module
    root.__name__ = ALIAS
    root.__path__ = [world.entry(folder)]
    root.__spec__ = bootstrap.ModuleSpec(
        ALIAS, None, origin=getattr(module, "__file__", None), is_package=True
    )
    root.WORLD = world
    sys.modules[ALIAS] = module
    return world


def stand_in_for_importlib() -> None:
    """The interpreter's own parts of ``importlib``, which modules of the standard library need."""
    package: Any = type(sys)(f"{COPIES}.importlib")
    package.__path__ = []
    package.import_module = bootstrap._gcd_import
    package.machinery = type(sys)(f"{COPIES}.importlib.machinery")
    package.machinery.__dict__.update(
        {**vars(bootstrap), **vars(external)},
        __name__=f"{COPIES}.importlib.machinery",
        __spec__=None,
    )
    for module in (package, package.machinery):
        sys.modules[module.__name__] = module


def put_back(modules: Sequence[tuple[str, ModuleType | None]]) -> None:
    """Restore the old entries of ``sys.modules``."""
    for name, module in modules:
        if module is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = module


def before_standard(standard: str) -> list[str]:
    """The entries of ``sys.path`` that come before the standard library."""
    entries = []
    for entry in sys.path:
        if entry == standard:
            break
        entries.append(entry)
    return entries


def folder_of_program(words: Sequence[str]) -> str | None:
    """The folder that the interpreter is about to put first on ``sys.path``; ``None``: none."""
    if getattr(sys.flags, "safe_path", False):
        return None
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            return os.path.dirname(os.path.realpath(word))  # noqa: PTH120 - pathlib is not frozen
        if word.startswith("--"):
            rest = rest[1:] if word == "--check-hash-based-pycs" else rest
            continue
        for place, letter in enumerate(word[1:], start=2):
            if letter in "cm":
                return "."
            if letter in "WX":
                rest = rest if word[place:] else rest[1:]
                break
    return "."


def autostart() -> None:
    """Start the agent in a program whose environment asks for it.

    Called by the ``.pth`` line, before the program's folder is known.
    """
    try:
        world: World = vars(sys.modules[ALIAS])["WORLD"]
        program = folder_of_program(sys.orig_argv)
        world.look_for_shadows(
            [*before_standard(world.standard), *([] if program is None else [program])]
        )
        world.import_own(f"{OWN}.agent.autostart")
    except Exception as error:  # the program must run on after any error
        print(f"arc-inspector: {type(error).__name__}: {error}", file=sys.stderr)


def main(words: list[str]) -> int:
    """Run a module of ours as a script: its name, then its arguments."""
    world: World = vars(sys.modules[ALIAS])["WORLD"]
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # our own folder
    name, *rest = words
    script = rest[rest.index("--") + 1] if "--" in rest[:-1] else ""
    world.look_for_shadows(
        [
            *before_standard(world.standard),
            os.path.dirname(os.path.realpath(script)) if script else ".",  # noqa: PTH120
        ]
    )
    status: int = world.import_own(name).main(rest)
    return status


if __name__ in (ALIAS, "__main__"):
    _is_script = __name__ == "__main__"
    _own_folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is not frozen
    set_up(sys.modules[__name__], f"{_own_folder}/{OWN}", {}, {})
    if _is_script:
        sys.exit(main(sys.argv[1:]))
