"""pytest: `@pytest.mark.simulated(seeds=200)` runs an async test under many schedules.

    @pytest.mark.simulated(seeds=200, policies=("random", "pct"))
    async def test_nothing_is_lost() -> None: ...

The marker takes the keywords of `explore`. Fixtures are made once for all runs, so what a run
changes belongs into the test itself. A failure prints the options that repeat its schedule alone:
`--simulated-seed` and `--simulated-policy`.
"""

from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction, signature
from typing import Any

import pytest

SEED, POLICY = "--simulated-seed", "--simulated-policy"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that repeat one schedule."""
    group = parser.getgroup("simulated", "deterministic simulation (callboard)")
    group.addoption(SEED, type=int, default=None, help="run simulated tests with this seed alone")
    group.addoption(POLICY, default=None, help="and with this policy alone, such as 'random'")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "simulated(seeds=100, policies=('random', 'pct'), ...): run the async test under many "
        "schedules, deterministically (callboard.runtime.simulation.explore)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Explore a marked test in place of calling it."""
    marker = pyfuncitem.get_closest_marker("simulated")
    if marker is None:
        return None
    if marker.args or not iscoroutinefunction(pyfuncitem.obj):
        raise pytest.UsageError(
            "simulated marks async tests, and takes keywords only: simulated(seeds=200)"
        )
    # Only a session that has such a test pays for the import.
    from callboard.runtime.simulation.search import explore  # noqa: PLC0415

    report = explore(_program(pyfuncitem), **_options(pyfuncitem.config, marker))
    for failure in report.failures[:1]:
        command = f"pytest '{pyfuncitem.nodeid}' {SEED}={failure.report.seed} "
        command += f'{POLICY}="{failure.report.policy!r}"'
        pyfuncitem.add_report_section("call", "simulation", f"replay: {command}")
    report.check()
    return True


def _program(item: pytest.Function) -> Callable[[], Any]:
    names = signature(item.obj).parameters
    arguments = {name: item.funcargs[name] for name in names}
    return partial(item.obj, **arguments) if arguments else item.obj


def _options(config: pytest.Config, marker: pytest.Mark) -> dict[str, Any]:
    options: dict[str, Any] = dict(marker.kwargs)
    seed, policy = config.getoption(SEED), config.getoption(POLICY)
    if seed is not None:
        options["seeds"] = [seed]
    if policy is not None:
        options["policies"] = [policy]
    return options
