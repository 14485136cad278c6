"""One declaration at work: its class, its hooks and its rows, or why it is not followed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from inspector.agent.adapters.declared.closed_uses import DeclaredUses
from inspector.agent.adapters.declared.extension import TypeHooks
from inspector.agent.adapters.declared.functions import FunctionHooks
from inspector.agent.adapters.declared.hooks import HEAP_FLAG, Births, ClassHooks, is_mutable
from inspector.agent.adapters.declared.instances import GC_FLAG
from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.looks import Looks
from inspector.agent.adapters.declared.names import Missing, find
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.adapters.declared.under_way import ClosesUnderWay
from inspector.agent.adapters.extension_classes import instances_beyond
from inspector.agent.adapters.imports import is_importing
from inspector.agent.adapters.protocol import ClosingHost, HostedClosing, LibraryHost
from inspector.agent.faults import Faults
from inspector.agent.plain import is_a, module_names, offers
from inspector.errors import InspectorError
from inspector.runtime.sites import OWN_MODULES, SiteTable
from inspector.source_places import packages_of
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks


class Followed:
    """A declaration from the moment it is known. Any one thread at a time."""

    def __init__(
        self,
        declaration: Declaration,
        recorder: DeclaredRecorder,
        faults: Faults,
        births: Births,
        *,
        hosts: Sequence[ClosingHost] = (),
    ) -> None:
        """Looks at nothing yet.

        ``births`` is given the proxies of all declared classes, ``hosts`` may follow the class
        themselves.
        """
        self.declaration = declaration
        self.cls: type | None = None
        """The class, once it is hooked."""
        self.rows: DeclaredRows | LibraryRows | None = None
        """Once it is resolved."""
        self.closing: HostedClosing | None = None
        """How the class closes, where another adapter follows it: then the rows are that one's."""
        self.waits_for = ""
        """The module that has to be imported first; ``""`` when nothing."""
        self.trouble = ""
        """Why it is not, or not fully, followed; ``""`` when all is well."""
        self._recorder = recorder
        self._faults = faults
        self._births = births
        self._hosts = hosts
        self._hooks: list[ClassHooks | TypeHooks | FunctionHooks] = []
        sites = SiteTable(
            (*OWN_MODULES, *declaration.hide), packages_of([declaration.cls or declaration.library])
        )
        self._sites = sites
        self.uses: DeclaredUses | None = None
        """Uses after close; ``None``: the class is not hooked, or nothing is seen of them."""
        self.under_way = ClosesUnderWay(recorder, sites)
        """Closing methods that ran before the class was hooked."""
        self._is_settled = False

    def resolve(self, finished: str = "") -> bool:
        """Hook the imported classes; true when that was done just now.

        A fault becomes ``trouble`` and a report, once.

        ``finished`` is a module whose body has run just now.
        """
        if self._is_settled:
            self._look_for_makers(finished)
            return False
        if self.declaration.module:
            self._resolve_module(self.declaration.module, finished)
            return False
        places = [
            find(name, finished)
            for name in (self.declaration.cls, self.declaration.library)
            if name
        ]
        missing = next((place for place in places if isinstance(place, Missing)), None)
        if missing is not None:
            self.waits_for = missing.reason if missing.is_waiting else ""
            if not missing.is_waiting:
                self._settle(missing.reason)
            return False
        try:
            self._follow([place.value for place in places if not isinstance(place, Missing)])
        except Exception as error:  # one odd class must not keep the agent from starting
            self.undo()
            self._settle(f"{error}" or type(error).__name__)
            return False
        return True

    @property
    def is_refused(self) -> bool:
        """Whether its objects stay unknown, even after further imports."""
        return bool(self.trouble) if self.rows is None else bool(self.rows.trouble)

    @property
    def followed_by(self) -> str:
        """The adapter whose rows the class has; ``""``: none yet, or those of this declaration."""
        return "" if self.closing is None else self.closing.name

    def unhook(self) -> None:
        """Take the hooks off and look after no proxy any more; rows stay as they are."""
        self.under_way.forget()
        if self.uses is not None:
            self.uses.undo()  # they lie over the hooks of the class
        if self.rows is not None:
            self.rows.let_go()  # before the hooks that would tell of their end
        if self.closing is not None:
            self.closing.undo()
            self.closing = None
        while self._hooks:
            self._hooks.pop().undo()
        self._is_settled = True

    def undo(self) -> None:
        """Take the hooks off and the rows out of the table."""
        if self.rows is not None:
            self.rows.clear()
        self.unhook()
        self.cls, self.rows = None, None

    def state(self, looks: Looks) -> dict[str, Any]:
        """As a viewer is told. ``looks`` find the instances whose birth no hook saw."""
        unseen = self._unseen() or self._seen_late(looks)
        return {
            "class": self.declaration.key,
            "source": self.declaration.source,
            "rows": len(self.rows if self.rows is not None else self.closing or ()),
            "is_followed": self.rows is not None or self.closing is not None,
            "followed_by": self.followed_by,
            "closes": self.declaration.close_signature,
            "waits_for": self.waits_for,
            "unseen": bool(unseen),
            "trouble": self.trouble
            or (self.rows.trouble or unseen if self.rows is not None else ""),
        }

    def _seen_late(self, looks: Looks) -> str:
        """That instances are found by looks which take long."""
        found, secs = looks.unseen(self.declaration.key), looks.slow_secs()
        if not found or not secs:
            return ""
        born = (
            f"{found:,} instances were born where no hook sees, and a look for more takes "
            f"{secs:,.0f} s"
        )
        return f"{born}; made_by may name the function that makes them"

    def _unseen(self) -> str:
        """That instances live which have no row, as far as the class itself tells."""
        cls = self.cls
        if (
            cls is None
            or self.rows is None
            or cls.__flags__ & GC_FLAG
            or not cls.__flags__ & HEAP_FLAG
        ):
            return ""
        more = instances_beyond(cls, len(self.rows))
        if not more:
            return ""
        unseen = (
            f"about {more:,} more instances live: births of this class in native code are not seen"
        )
        return f"{unseen}; made_by may name the function that makes them"

    def _follow(self, found: list[Any]) -> None:
        """Hook the class, and the functions of the library."""
        declared = self.declaration
        cls = found.pop(0) if declared.cls else None
        if cls is not None and not isinstance(cls, type):
            raise InspectorError("not a class")
        if cls is not None and self._is_hosted(cls):
            return
        if cls is not None and declared.library and not cls.__weakrefoffset__:
            raise InspectorError(
                "its instances cannot be referred to weakly, so it does not go "
                "together with a library"
            )
        origin = declared.library if cls is None else _origin(cls, declared.cls)
        troubles: list[str] = []
        rows = (LibraryRows if declared.library else DeclaredRows)(
            declared, origin, self._recorder, self._faults
        )
        self.rows = rows
        if cls is not None:
            self.cls = cls
            troubles += self._hook_class(cls, rows)
            self._births.follow(cls, rows.owner)
        if isinstance(rows, LibraryRows):
            functions = FunctionHooks(found.pop(), rows, self._faults)
            self._hooks.append(functions)
            troubles += functions.set()
        self._settle("; ".join(troubles))

    def _resolve_module(self, name: str, finished: str) -> None:
        """Have every class of an extension module followed by the adapter that can."""
        module = sys.modules.get(name)
        if (
            module is None
            or not is_a(module, ModuleType)
            or (name != finished and is_importing(module))
        ):
            self.waits_for = f"{name} is not imported yet"
            return
        path = module_names(module).get("__file__")
        hosts = [host for host in self._hosts if offers(host, LibraryHost)]
        if type(path) is not str or ".so" not in path or not hosts:
            self._settle(f"{name} is no extension module")
            return
        self.closing = hosts[0].opt_in_library(path)
        self._settle("")

    def _is_hosted(self, cls: type) -> bool:
        """Whether another adapter follows the class.

        It closes as declared then. Raises when it cannot.
        """
        self.closing = next(
            (
                closing
                for host in self._hosts
                if (closing := host.opt_in(cls, self.declaration)) is not None
            ),
            None,
        )
        if self.closing is not None:
            self._settle("")
        return self.closing is not None

    def _hook_class(self, cls: type, rows: DeclaredRows | LibraryRows) -> list[str]:
        """Hook the class's attributes where they can be set.

        Its type slots are hooked where births or ends would not be seen otherwise, or not be asked.
        """
        self.under_way.follow(cls, self.declaration.closers, rows)
        own = ClassHooks(cls, self.declaration, self._births)
        self._hooks.append(own)
        troubles = own.set()
        if isinstance(rows, DeclaredRows):
            self.uses = DeclaredUses(
                cls, self.declaration, rows, sites=self._sites, faults=self._faults
            )
        asks_at_end = (
            bool(self.declaration.close)
            and isinstance(rows, DeclaredRows)
            and not hooks.is_of_python(cls)
        )
        if not is_mutable(cls) or not cls.__weakrefoffset__ or asks_at_end:
            slots = TypeHooks(cls, None if is_mutable(cls) else self._births)
            self._hooks.append(slots)
            troubles += slots.set()
            if slots.sees_ends and isinstance(rows, DeclaredRows):
                rows.native.see_ends(cls)
        return troubles

    def _look_for_makers(self, finished: str) -> None:
        """Look for functions that make proxies, and for derived classes.

        Both may be imported later than the class.
        """
        for hooked in self._hooks:
            if isinstance(hooked, TypeHooks):
                hooked.follow_derived()
            if isinstance(hooked, ClassHooks):
                troubles = hooked.look_for_makers(finished)
                if troubles:
                    self._settle("; ".join(troubles))

    def _settle(self, trouble: str) -> None:
        """Resolved, as far as it goes."""
        self._is_settled, self.waits_for = True, ""
        if trouble:
            self.trouble = trouble
            self._faults.add(
                InspectorError(f"{self.declaration.key}: {trouble}: {self.declaration.source}")
            )


def _origin(cls: type, dotted: str) -> str:
    """The module of a class; the declared name's, if the class claims to be in ``builtins``."""
    return dotted.rpartition(".")[0] if cls.__module__ == "builtins" else cls.__module__
