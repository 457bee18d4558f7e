"""hypothesis draws the schedule, and shrinks it to where order matters."""

import ast
import re

import anyio
import anyio.lowlevel
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from callboard.runtime.simulation import Choices, Policy, explore, simulate
from callboard.runtime.simulation.schedules import schedules


async def lost_update() -> None:
    """Four clients; two that overlap lose an update."""
    value = 0

    async def client() -> None:
        nonlocal value
        await anyio.lowlevel.checkpoint()
        before = value
        await anyio.lowlevel.checkpoint()
        value = before + 1

    async with anyio.create_task_group() as group:
        await group.start(lambda task_status: one_after_another(client, task_status))
    assert value == 2


async def one_after_another(client, task_status) -> None:
    """Start two clients far enough apart that order alone keeps them so."""
    task_status.started()
    async with anyio.create_task_group() as group:
        group.start_soon(client)
        for _ in range(6):
            await anyio.lowlevel.checkpoint()
        group.start_soon(client)


def find() -> AssertionError:
    """Let hypothesis search and shrink."""

    @settings(
        max_examples=300,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(policy=schedules())
    def search(policy: Policy) -> None:
        simulate(lost_update, policy=policy, history=0)

    with pytest.raises(AssertionError) as caught:
        search()
    return caught.value


def test_the_shrunk_schedule_departs_from_order_where_it_must() -> None:
    """Few choices other than the first remain, and the note repeats the failure literally."""
    error = find()
    note = next(note for note in error.__notes__ if note.startswith("replay: "))
    literal = re.search(r"Choices\((\([\d, ]*\))\)", note)
    assert literal is not None
    indices = ast.literal_eval(literal[1])
    assert 1 <= sum(map(bool, indices)) <= 6
    with pytest.raises(AssertionError):
        simulate(lost_update, policy=Choices(indices))
    assert not explore(lost_update, policies=[Choices()], seeds=1).failures


def test_order_is_the_simplest_schedule() -> None:
    """Control: hypothesis' simplest example is first come, first served, which passes."""
    simulate(lost_update, policy=Choices())


@settings(max_examples=30, deadline=None)
@given(policy=schedules(most_choices=5), n=st.integers(1, 4))
def test_a_drawn_schedule_is_one_drawn_value_among_others(policy: Policy, n: int) -> None:
    """The program's arguments are drawn and shrunk along with it; long runs go on in order."""

    async def program(count: int) -> int:
        done = 0

        async def work() -> None:
            nonlocal done
            await anyio.sleep(1)
            done += 1

        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(work)
        return done

    assert simulate(program, n, policy=policy).result == n
