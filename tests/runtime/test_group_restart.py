"""Restarts of a group: down in reverse order, up in order, whatever happens meanwhile."""

from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from callboard.runtime import (
    Actor,
    ActorRef,
    Backoff,
    EscalatedError,
    Message,
    Runtime,
    Supervision,
)
from callboard.runtime.supervision import Strategy

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Work(Message[str]):
    seconds: float = 0.0


class Member(Actor):
    """Writes down when it comes and goes; each step takes a few turns of the loop."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log = log
        self.name = name

    async def on_start(self) -> None:
        await _a_while()
        self.log.append(f"+{self.name}")

    async def on_stop(self) -> None:
        await _a_while()
        self.log.append(f"-{self.name}")

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise KeyError(self.name)

    @Work.handler
    async def work(self, message: Work) -> str:
        await anyio.sleep(message.seconds)
        self.log.append(f"{self.name} worked")
        return self.name


async def _a_while() -> None:
    for _ in range(5):
        await anyio.lowlevel.checkpoint()


async def family(
    runtime: Runtime, log: list[str], names: str = "abc", member: Any = Member, **kwargs: Any
) -> dict[str, ActorRef]:
    refs = {name: await runtime.spawn(member, log, name, name=name, **kwargs) for name in names}
    log.clear()
    return refs


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("one_for_one", "-b +b"),
        ("one_for_all", "-c -b -a +a +b +c"),
        ("rest_for_one", "-c -b +b +c"),
    ],
)
async def test_order(strategy: Strategy, expected: str) -> None:
    """The youngest goes first, the oldest comes first, one after the other."""
    log: list[str] = []
    async with Runtime(supervision=Supervision(strategy)) as runtime:
        refs = await family(runtime, log)
        await refs["b"].tell(Fail())
        await runtime.settle()
        assert " ".join(log) == expected
        assert runtime.statistics().conserved


async def test_mailboxes_survive_the_restart_of_the_group() -> None:
    """Siblings lose their state, not their messages."""
    log: list[str] = []
    async with Runtime(supervision=Supervision("one_for_all")) as runtime:
        refs = await family(runtime, log)
        await refs["a"].tell(Fail())
        for ref in refs.values():
            await ref.tell(Work())
        await runtime.settle()
        assert sorted(entry for entry in log if "worked" in entry) == [
            "a worked",
            "b worked",
            "c worked",
        ]


async def test_a_failure_during_the_restart_asks_for_another_round() -> None:
    """Who fails while its group comes up takes the group down again, in order."""
    log: list[str] = []

    class Fragile(Member):
        async def on_restart(self, error: BaseException) -> None:
            await super().on_start()
            if self.name == "a" and log.count("+a") == 1:
                self.context.ref.tell_nowait(Fail())

    async with Runtime(supervision=Supervision("one_for_all", max_restarts=9)) as runtime:
        refs = await family(runtime, log, member=Fragile)
        await refs["c"].tell(Fail())
        await runtime.settle()
        rounds = " ".join(log).split("-c")
        assert rounds[-1] == " -b -a +a +b +c" or log[-3:] == ["+a", "+b", "+c"]
        assert log.count("+a") == 2
        assert {name: await ref.ask(Work()) for name, ref in refs.items()} == {
            "a": "a",
            "b": "b",
            "c": "c",
        }
        assert runtime.statistics().conserved


async def test_failures_of_a_group_count_together() -> None:
    """Siblings that fail in turn escalate as one actor that fails again and again."""
    with pytest.raises(EscalatedError, match="3 times"):
        async with Runtime(supervision=Supervision("one_for_all", 2, 60.0)) as runtime:
            refs = await family(runtime, [])
            for name in "abc":
                await refs[name].tell(Fail())
                await runtime.settle()
            await anyio.sleep(60)


@pytest.mark.parametrize("stopped", ["a", "b", "c"])
async def test_a_member_stops_during_the_wait(stopped: str) -> None:
    """A member that is stopped while its group is down ends at once; the others come up."""
    log: list[str] = []
    terms = Supervision("one_for_all", backoff=Backoff(initial=0.05, jitter=0))
    async with Runtime(supervision=terms) as runtime:
        refs = await family(runtime, log)
        await refs["b"].tell(Fail())
        with anyio.fail_after(5):
            while len(log) < 3:
                await anyio.lowlevel.checkpoint()
            await anyio.wait_all_tasks_blocked()
            await refs[stopped].stop()
            await runtime.settle()
        assert log[:3] == ["-c", "-b", "-a"]
        assert log[3:] == [f"+{name}" for name in "abc" if name != stopped]
        assert runtime.statistics().conserved


async def test_siblings_may_finish_what_they_handle() -> None:
    """A member spawned with a shutdown time finishes its message before its group restarts."""
    log: list[str] = []
    async with Runtime(supervision=Supervision("one_for_all")) as runtime:
        refs = await family(runtime, log, "ab", shutdown=5.0)
        await refs["b"].tell(Work(0.02))
        await anyio.wait_all_tasks_blocked()
        await refs["a"].tell(Fail())
        await runtime.settle()
        assert log == ["b worked", "-b", "-a", "+a", "+b"]
        assert runtime.statistics().conserved


async def test_kill_means_no_last_words() -> None:
    """Who is spawned to be killed is cancelled at once and runs no on_stop; a stop is still one."""
    log: list[str] = []
    async with Runtime() as runtime:
        refs = await family(runtime, log, "abc", shutdown="kill")
        await refs["a"].tell(Work(60))
        await refs["c"].stop()
    assert log == ["-c"]


async def test_children_have_shutdown_times_of_their_own() -> None:
    """A parent that ends gives each child its own time for what is queued, the youngest first."""
    log: list[str] = []

    class Parent(Member):
        async def on_start(self) -> None:
            for name, shutdown in (("patient", 5.0), ("hasty", 0.0)):
                child = await self.context.spawn(Member, log, name, shutdown=shutdown)
                await child.tell(Work(0.02))

    async with Runtime() as runtime:
        parent = await runtime.spawn(Parent, log, "parent")
        log.clear()
        await parent.stop(timeout=5)
    assert log == ["-hasty", "patient worked", "-patient", "-parent"]


async def test_runtime_ends_while_a_group_restarts() -> None:
    """Nothing hangs when everything ends in the middle of a restart."""
    log: list[str] = []
    terms = Supervision("rest_for_one", backoff=Backoff(initial=60, maximum=60))
    with anyio.fail_after(5):
        async with Runtime(supervision=terms, shutdown_timeout=0) as runtime:
            refs = await family(runtime, log)
            await refs["b"].tell(Fail())
            await anyio.wait_all_tasks_blocked()
    assert log == ["-c", "-b", "-a"]
    assert runtime.statistics().conserved


async def test_backoff_of_a_group_starts_anew_after_a_stable_period() -> None:
    """What an untouched elder remembers does not make the group wait longer and longer."""
    log: list[str] = []
    backoff = Backoff(initial=0.01, factor=1000.0, maximum=60.0, jitter=0, reset_after=0.0)
    async with Runtime(supervision=Supervision("rest_for_one", 9, backoff=backoff)) as runtime:
        refs = await family(runtime, log)
        with anyio.fail_after(5):
            for _ in range(3):
                await refs["b"].tell(Fail())
                await runtime.settle()
        assert log == ["-c", "-b", "+b", "+c"] * 3
