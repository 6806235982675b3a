"""tradesim: scenarios of goods trade between a pair of countries, with honest uncertainty."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.2.0"

_MODULES = ("compare", "decompose", "goal", "levers", "report")
"""Functions of the interface that have the name of a module."""

_API = ("Comparison", "Headline", "headline", "load", "run", "save", "scenarios", "to_iamc",
        *_MODULES)


def __getattr__(name: str) -> Any:
    """Load the programming interface when it is first used: the package alone stays light."""
    if name in _MODULES:
        return import_module(f"tradesim.{name}")
    if name in _API:
        return getattr(import_module("tradesim.api"), name)
    raise AttributeError(f"module 'tradesim' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})


class _Callable(ModuleType):
    """A module that has the name of a function of the interface, and can be called as that."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module("tradesim.api"), name)(*args, **options)


class _Package(ModuleType):
    """The package: `tradesim.compare` stays callable when the module of that name is loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _MODULES and isinstance(value, ModuleType):
            value.__class__ = _Callable
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
