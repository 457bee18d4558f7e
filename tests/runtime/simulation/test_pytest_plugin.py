"""The marker: async tests under many schedules, in sessions of their own."""

import pytest

pytest_plugins = ["pytester"]
PLUGIN = ("-p", "callboard.runtime.simulation.pytest_plugin", "-p", "no:cacheprovider")

RACE = """
    import anyio
    import pytest

    @pytest.fixture
    def clients():
        return 2

    @pytest.mark.simulated(seeds=50)
    async def test_sum(clients):
        value = 0

        async def client():
            nonlocal value
            before = value
            await anyio.sleep(0)
            value = before + 1

        async with anyio.create_task_group() as group:
            for _ in range(clients):
                group.start_soon(client)
                await anyio.sleep({pause})
        assert value == clients
"""


def test_a_race_fails_with_the_command_that_repeats_it(pytester: pytest.Pytester) -> None:
    """The options lead to the same schedule alone."""
    pytester.makepyfile(RACE.format(pause=0))
    result = pytester.runpytest_subprocess(*PLUGIN, "--strict-markers")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*replay: simulate(partial(*test_sum, clients=2), seed=*"])
    result.stdout.fnmatch_lines(["*--simulated-seed=* --simulated-policy=*"])
    line = next(line for line in result.outlines if "--simulated-seed=" in line)
    seed = line.partition("--simulated-seed=")[2].partition(" ")[0]
    policy = line.partition('--simulated-policy="')[2].partition('"')[0]
    again = pytester.runpytest_subprocess(
        *PLUGIN, f"--simulated-seed={seed}", f"--simulated-policy={policy}"
    )
    again.assert_outcomes(failed=1)


def test_a_sound_test_passes(pytester: pytest.Pytester) -> None:
    """Control: with a pause that keeps the clients apart there is no race."""
    pytester.makepyfile(RACE.format(pause=1))
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_other_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    """Tests without the marker run as ever, and nobody pays for what they don't use."""
    pytester.makepyfile(
        """
        import sys
        import pytest

        def test_plain():
            assert "callboard.runtime.simulation.search" not in sys.modules

        @pytest.mark.anyio
        async def test_async(anyio_backend_name):
            assert anyio_backend_name
        """
    )
    result = pytester.runpytest_subprocess(*PLUGIN)
    assert result.parseoutcomes()["passed"] >= 2


@pytest.mark.parametrize(
    "marked",
    [
        "@pytest.mark.simulated(200)\n    async def test_it(): ...",
        "@pytest.mark.simulated(seeds=2)\n    def test_it(): ...",
    ],
)
def test_a_wrong_use_is_explained(pytester: pytest.Pytester, marked: str) -> None:
    """Keywords only, async tests only."""
    pytester.makepyfile(f"import pytest\n\n{marked}".replace("\n    ", "\n"))
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.stdout.fnmatch_lines(["*simulated marks async tests*"])
    assert result.ret != 0


def test_the_marker_is_known(pytester: pytest.Pytester) -> None:
    """`pytest --markers` explains it."""
    result = pytester.runpytest_subprocess(*PLUGIN, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.simulated(*"])
