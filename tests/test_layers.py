"""The house's law: who may import whom, without cycles, and where the heavy packages come in."""

import ast
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAW = {
    "ambient": {"ambient"},
    "runtime": {"ambient", "runtime"},
    "backends": {"ambient", "backends"},
    "agents": {"ambient", "runtime", "backends", "agents"},
}
"""Each floor, and what it may build on."""

HEAVY = {
    "openai": ("backends/openai",),
    "httpx": ("backends/openai",),
    "httpx2": ("backends/openai",),
    "aiohttp": ("backends/openai",),
    "torch": ("backends/local/",),
    "transformers": ("backends/local/",),
    "opentelemetry.sdk": ("agents/timeline/",),
    "typer": ("agents/cli/",),
    "rich": ("agents/",),
    "trio": ("runtime/trio_slot.py", "backends/detached_task.py"),
    "asyncio": (
        "runtime/loops.py",
        "runtime/simulation/",
        "backends/event_loop.py",
        "backends/detached_task.py",
    ),
}
"""What only the files whose job it is may import, by the start of their path."""


def modules() -> dict[str, Path]:
    """Find every module of the four packages, by its import name."""
    found = {}
    for floor in LAW:
        for path in sorted((ROOT / floor).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(("callboard", *parts)).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """Yield every name that a file imports, type-only and lazy imports included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in MODULES else node.module


def test_no_floor_builds_on_one_above_it() -> None:
    """Agents build on runtime and backends, those on ambient; they never meet each other."""
    broken = [
        f"{name} imports {target}"
        for name, path in MODULES.items()
        for target in imported(path)
        if target.startswith("callboard.") and target.split(".")[1] not in LAW[name.split(".")[1]]
    ]
    assert not broken


def test_there_are_no_import_cycles() -> None:
    """No module needs itself, not even for a type or inside a function."""
    graph = {
        name: {target for target in imported(path) if target in MODULES and target != name}
        for name, path in MODULES.items()
        if path.name != "__init__.py"  # a package's face re-exports its modules by design
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_modules_import_from_where_a_name_is_defined() -> None:
    """No module imports from a package's face: only users do."""
    faces = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    through = [
        f"{name} imports from {target}"
        for name, path in MODULES.items()
        for target in imported(path)
        if target in faces and name not in faces
    ]
    assert not through


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_packages_stay_where_their_job_is(package: str) -> None:
    """Whoever embeds one floor never pays for what another needs."""
    strays = [
        str(path.relative_to(ROOT))
        for path in MODULES.values()
        if any(f"{target}.".startswith(f"{package}.") for target in imported(path))
        and not path.relative_to(ROOT).as_posix().startswith(HEAVY[package])
    ]
    assert not strays


def test_every_module_says_what_it_is_for() -> None:
    """The first line of each module's docstring is its job."""
    silent = [
        str(path.relative_to(ROOT))
        for path in MODULES.values()
        if ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert not silent


def test_every_package_is_declared() -> None:
    """Each folder with modules is listed in pyproject.toml, or the wheel would lack it."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    folders = {"callboard." + ".".join(p.parent.relative_to(ROOT).parts) for p in MODULES.values()}
    assert set(listed) == folders == found
