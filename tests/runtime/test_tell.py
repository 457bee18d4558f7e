"""Tells: order, backpressure and the four overflow policies."""

from dataclasses import dataclass

import anyio
import pytest
from anyio.abc import TaskGroup

from callboard.runtime import (
    Actor,
    ActorRef,
    AskCycleError,
    Down,
    MailboxFullError,
    MailboxOptions,
    Message,
    Runtime,
)
from callboard.runtime.mailbox import Overflow

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Note(Message[None]):
    n: int


@dataclass(frozen=True, slots=True)
class Open(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class TellPeer(Message[None]):
    times: int


class Listener(Actor):
    """Writes down what it hears, once the gate is open."""

    def __init__(self, heard: list[int], gate: anyio.Event) -> None:
        self.heard = heard
        self.gate = gate

    @Note.handler
    async def note(self, message: Note) -> None:
        await self.gate.wait()
        self.heard.append(message.n)


class Peer(Actor):
    """Tells all peers but itself, as often as it is told."""

    def __init__(self, peers: list[ActorRef], gate: anyio.Event) -> None:
        self.peers = peers
        self.gate = gate

    @TellPeer.handler
    async def tell_peer(self, message: TellPeer) -> None:
        await self.gate.wait()
        for n in range(message.times):
            for peer in set(self.peers) - {self.context.ref}:
                await peer.tell(Note(n), timeout=20)

    @Note.handler
    async def note(self, message: Note) -> None:
        pass


async def test_one_senders_order() -> None:
    """What one sender sends to one actor is handled in the order in which it was sent."""
    heard: list[int] = []
    gate = anyio.Event()
    gate.set()
    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener, heard, gate, mailbox=MailboxOptions(7))
        for n in range(500):
            await listener.tell(Note(n))
        await runtime.settle()
    assert heard == list(range(500))


async def test_normal_end_handles_what_is_queued() -> None:
    """Leaving the runtime does not lose what was told before."""
    heard: list[int] = []
    gate = anyio.Event()
    gate.set()
    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener, heard, gate)
        for n in range(100):
            listener.tell_nowait(Note(n))
    assert heard == list(range(100))


@pytest.mark.parametrize(
    ("overflow", "kept", "reason"),
    [
        ("drop_oldest", [0, 4, 5], "dropped_oldest"),
        ("drop_newest", [0, 1, 2], "dropped_newest"),
    ],
)
async def test_dropping(overflow: Overflow, kept: list[int], reason: str) -> None:
    """A dropping mailbox keeps one end of the queue; what it drops is a dead letter."""
    heard: list[int] = []
    gate = anyio.Event()
    async with Runtime() as runtime:
        options = MailboxOptions(capacity=2, overflow=overflow)
        listener = await runtime.spawn(Listener, heard, gate, mailbox=options)
        await listener.tell(Note(0))
        await anyio.wait_all_tasks_blocked()
        for n in range(1, 6):
            await listener.tell(Note(n))
        gate.set()
        await runtime.settle()
        assert heard == kept
        assert runtime.dead_letters.by_reason() == {reason: 3}
        assert runtime.statistics().conserved


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
async def test_dropped_ask_is_told(overflow: Overflow) -> None:
    """An ask that is dropped ends at once, as MailboxFullError."""
    gate = anyio.Event()
    ends: list[str] = []

    async def ask(listener: ActorRef, n: int) -> None:
        try:
            await listener.ask(Note(n))
        except MailboxFullError as error:
            ends.append(error.overflow)

    async with Runtime() as runtime:
        options = MailboxOptions(capacity=1, overflow=overflow)
        listener = await runtime.spawn(Listener, [], gate, mailbox=options)
        async with anyio.create_task_group() as group:
            for n in range(4):
                group.start_soon(ask, listener, n)
                await anyio.wait_all_tasks_blocked()
            assert ends == [overflow, overflow]
            gate.set()


async def test_reject() -> None:
    """A rejecting mailbox tells every sender at once."""
    gate = anyio.Event()
    async with Runtime() as runtime:
        options = MailboxOptions(capacity=1, overflow="reject")
        listener = await runtime.spawn(Listener, [], gate, mailbox=options)
        await listener.tell(Note(0))
        await anyio.wait_all_tasks_blocked()
        await listener.tell(Note(1))
        for send in (listener.tell(Note(2)), listener.ask(Note(3))):
            with pytest.raises(MailboxFullError, match="'reject'"):
                await send
        with pytest.raises(MailboxFullError):
            listener.tell_nowait(Note(4))
        gate.set()
        await runtime.settle()
        assert runtime.statistics().rejected == 3
        assert runtime.statistics().handled == 2
        assert runtime.statistics().conserved


async def test_block_waits_for_room_in_order() -> None:
    """Blocked senders get in one after the other, as they came; nobody overtakes them."""
    heard: list[int] = []
    gate = anyio.Event()
    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener, heard, gate, mailbox=MailboxOptions(capacity=1))
        await listener.tell(Note(0))
        await anyio.wait_all_tasks_blocked()
        await listener.tell(Note(1))
        async with anyio.create_task_group() as group:
            for n in range(2, 6):
                group.start_soon(listener.tell, Note(n))
                await anyio.wait_all_tasks_blocked()
            with pytest.raises(MailboxFullError):
                listener.tell_nowait(Note(99))
            gate.set()
        await runtime.settle()
        assert heard == [0, 1, 2, 3, 4, 5]


async def test_blocked_tell_gives_up() -> None:
    """A blocked tell has a timeout; then it raises, and the message is nowhere."""
    heard: list[int] = []
    gate = anyio.Event()
    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener, heard, gate, mailbox=MailboxOptions(capacity=1))
        await listener.tell(Note(0))
        await anyio.wait_all_tasks_blocked()
        await listener.tell(Note(1))
        with pytest.raises(MailboxFullError):
            await listener.tell(Note(2), timeout=0.01)
        with anyio.move_on_after(0.01) as scope:
            await listener.tell(Note(3))
        assert scope.cancelled_caught
        with anyio.move_on_after(0.01) as scope:
            await listener.ask(Note(4))
        assert scope.cancelled_caught
        assert runtime._entered().ends.roots[listener.address.name].mailbox.blocked is None
        gate.set()
        await runtime.settle()
        assert heard == [0, 1]
        assert runtime.statistics().accepted == 2


async def test_tell_to_oneself_into_a_full_mailbox() -> None:
    """An actor that waited for room in its own mailbox would wait for ever, so it raises."""
    raised: list[MailboxFullError] = []

    class Selfish(Actor):
        @TellPeer.handler
        async def tell_peer(self, message: TellPeer) -> None:
            try:
                for n in range(message.times):
                    await self.context.ref.tell(Note(n))
            except MailboxFullError as error:
                raised.append(error)

        @Note.handler
        async def note(self, message: Note) -> None:
            pass

    async with Runtime() as runtime:
        selfish = await runtime.spawn(Selfish, mailbox=MailboxOptions(capacity=3))
        await selfish.ask(TellPeer(5))
        await runtime.settle()
        assert len(raised) == 1
        assert runtime.statistics().handled == 4


async def test_two_actors_with_full_mailboxes_do_not_hang() -> None:
    """Two actors that wait for room in one another's mailboxes are found out at once."""
    gate = anyio.Event()
    downs: list[Down] = []
    peers: list[ActorRef] = []

    async def watch(runtime: Runtime, ref: ActorRef, group: TaskGroup) -> None:
        downs.append(await runtime.watch(ref))
        group.cancel_scope.cancel()

    async with Runtime(shutdown_timeout=0) as runtime:
        for name in ("first", "second"):
            bound = MailboxOptions(capacity=1)
            peer = await runtime.spawn(
                Peer, peers, gate, name=name, mailbox=bound, restart="temporary"
            )
            await peer.tell(TellPeer(5))
            peers.append(peer)
        await anyio.wait_all_tasks_blocked()
        gate.set()
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                for peer in peers:
                    group.start_soon(watch, runtime, peer, group)
    assert isinstance(downs[0].error, AskCycleError)
    assert {str(address) for address in downs[0].error.path} == {"first", "second"}


async def test_unknown_message_is_a_dead_letter() -> None:
    """A tell that nobody can handle is counted, and does not fail the actor."""
    heard: list[int] = []
    gate = anyio.Event()
    gate.set()
    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener, heard, gate)
        await listener.tell(Open())
        await listener.tell(Note(1))
        await runtime.settle()
        assert heard == [1]
        (letter,) = runtime.dead_letters
        assert letter.reason == "unhandled"
        assert letter.message == Open()
        assert runtime.statistics().restarts == 0


async def test_a_storm_of_tells_to_a_stopped_actor() -> None:
    """Dead letters are counted without end, and kept within bounds."""
    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener, [], anyio.Event())
        await listener.stop()
        for n in range(5000):
            await listener.tell(Note(n))
        assert len(runtime.dead_letters) == 5000
        assert [letter.message.n for letter in runtime.dead_letters] == list(range(4000, 5000))
        assert runtime.statistics().dead_by_reason == {"stopped": 5000}
        assert runtime.statistics().conserved
