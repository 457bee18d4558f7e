"""What can't be exchanged: clocks and the like in default arguments, closures and attributes."""

import gc
import sys
from collections.abc import Iterable, Iterator
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

from callboard.runtime.simulation.substitution import Substitution

_OWN = __name__.rpartition(".")[0]


def find_captures(substitutions: Iterable[Substitution]) -> tuple[str, ...]:
    """Return what holds a function of the world outside where it can't be exchanged.

    Each as "time.monotonic in a default argument of package.function". The standard library's own
    are left out. Call it while nothing is substituted; it looks at all objects there are.
    """
    originals = {
        id(function): f"{each.owner.__name__}.{each.name}"
        for each in substitutions
        if isinstance(each.owner, ModuleType)
        and (function := vars(each.owner).get(each.name)) is not None
    }
    wanted = [
        vars(each.owner)[each.name] for each in substitutions if isinstance(each.owner, ModuleType)
    ]
    holders = _holders(wanted)
    found: set[str] = set()
    for holder in holders:
        for what, where in _captured(holder):
            if id(what) in originals and not _of_library(holder):
                found.add(f"{originals[id(what)]} in {where}")
    return tuple(sorted(found))


def _holders(wanted: list[Any]) -> list[Any]:
    """Return what may hold some of the wanted: directly, in a tuple or dict, or in a closure."""
    direct: list[Any] = gc.get_referrers(*wanted)
    containers: list[Any] = [
        each for each in direct if isinstance(each, tuple) or _is_attributes(each)
    ]
    cells = [each for each in direct if isinstance(each, CellType)]
    if cells:
        containers += [each for each in gc.get_referrers(*cells) if isinstance(each, tuple)]
    return [*direct, *(gc.get_referrers(*containers) if containers else ())]


def _is_attributes(thing: Any) -> bool:
    return isinstance(thing, dict) and "__builtins__" not in thing


def _captured(holder: Any) -> Iterator[tuple[object, str]]:
    """Yield what a function, class or object holds, and in which words to say so."""
    if isinstance(holder, FunctionType):
        yield from _captured_by_function(holder)
    elif isinstance(holder, type):
        for name, value in tuple(vars(holder).items()):
            yield value, f"{holder.__module__}.{holder.__qualname__}.{name}"
    elif not isinstance(holder, MethodType | ModuleType):
        kind = f"{type(holder).__module__}.{type(holder).__qualname__}"
        attributes: dict[str, Any] = getattr(holder, "__dict__", {})
        for name, value in tuple(attributes.items()):
            yield value, f"attribute {name} of a {kind}"


def _captured_by_function(function: FunctionType) -> Iterator[tuple[object, str]]:
    name = f"{function.__module__}.{function.__qualname__}"
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield value, f"a default argument of {name}"
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents, f"a closure of {name}"
        except ValueError:
            continue  # an empty cell


def _of_library(holder: Any) -> bool:
    owner = holder if isinstance(holder, FunctionType | type) else type(holder)
    module = str(getattr(owner, "__module__", ""))
    return module.startswith(_OWN) or module.partition(".")[0] in sys.stdlib_module_names
