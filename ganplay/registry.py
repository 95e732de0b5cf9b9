"""Names to parts: one file in a package registers what it adds, and every list in the project is read from here."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

_DISCOVERY = threading.RLock()


class Registry:
    """The parts of one noun ("loss", "dataset", ...), found by importing every module of one package on first use.

    Args:
        noun: what one entry is called in an error sentence.
        package: dotted name of the package whose modules register entries, or of the one module that does.
    """

    def __init__(self, noun: str, package: str) -> None:
        self.noun = noun
        self.package = package
        self._parts: dict[str, Any] = {}
        self._discovered = False
        self._importing: int | None = None  # the thread that imports the modules, which may ask for names meanwhile

    def register(self, name: str) -> Callable[[Any], Any]:
        """Decorator that stores a class or function under `name` and sets its `kind` to that name.

        Raises:
            ValueError: the name is taken; the sentence names both modules.
        """

        def store(part: Any) -> Any:
            taken = self._parts.get(name)
            if taken is not None and (taken.__module__, taken.__qualname__) != (part.__module__, part.__qualname__):
                raise ValueError(
                    f"The {self.noun} '{name}' is registered by both {taken.__module__} and {part.__module__}; "
                    "rename one of them."
                )
            part.kind = name
            self._parts[name] = part
            return part

        return store

    def __getitem__(self, name: str) -> Any:
        """The entry called `name`.

        Raises:
            ValueError: there is none; the sentence lists the known names.
        """
        self._discover()
        if name not in self._parts:
            near = difflib.get_close_matches(str(name), self._parts, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ValueError(f"There is no {self.noun} '{name}'; choose one of {', '.join(self.names())}.{hint}")
        return self._parts[name]

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted."""
        self._discover()
        return tuple(sorted(self._parts))

    def _discover(self) -> None:
        if self._discovered or self._importing == threading.get_ident():
            return
        # One thread imports, the others wait for it: none of them ever sees a part of the list. The lock is shared by
        # all registries, for the modules of one may look into another.
        with _DISCOVERY:
            if not self._discovered:
                self._importing = threading.get_ident()
                try:
                    self._import_modules()
                    self._discovered = True
                finally:
                    self._importing = None

    def _import_modules(self) -> None:
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
            importlib.import_module(f"{self.package}.{module.name}")
