"""The Runtime: a world of actors, from its beginning to its orderly end."""

import math
import signal
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, TypeVarTuple

import anyio
from anyio.abc import TaskGroup

from callboard.ambient.deadline import set_ambient_deadline
from callboard.runtime.address import Address
from callboard.runtime.behaviour import Behaviour
from callboard.runtime.cell import Cell
from callboard.runtime.dead_letters import DeadLetters
from callboard.runtime.down import Down
from callboard.runtime.envelope import current_envelope
from callboard.runtime.forks import notice_forks
from callboard.runtime.kernel import Kernel
from callboard.runtime.lifecycle import Supervisor
from callboard.runtime.loops import current_loop, current_waker
from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.message import Message
from callboard.runtime.observation import message_meter, observers_for
from callboard.runtime.observer import Recorder
from callboard.runtime.overview import count_messages, draw_tree, living
from callboard.runtime.publishing import publish
from callboard.runtime.ref import STOP_TIMEOUT, ActorRef
from callboard.runtime.signals import Signals, farewell_for
from callboard.runtime.statistics import MailboxStatistics, Statistics
from callboard.runtime.supervision import Restart, Supervision
from callboard.runtime.terms import Shutdown, Terms
from callboard.runtime.topics import Topic
from callboard.runtime.tree import ActorTree
from callboard.runtime.watchdog import Watchdog
from callboard.runtime.winding_down import report_lingering
from callboard.runtime.workers import Workers

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


M = TypeVar("M", bound=Message[Any])
Ts = TypeVarTuple("Ts")


class Runtime:
    """A world of actors.

        async with Runtime() as runtime:
            counter = await runtime.spawn(Counter, 10, name="counter")
            total = await counter.ask(Add(5), timeout=2.0)

    Leaving the block ends the actors: after a normal end they first handle what is queued, for at
    most `shutdown_timeout` seconds; after an exception their handlers are cancelled at once. The
    youngest actor ends first. Nobody is left waiting: every ask still open gets ActorStoppedError.

    An exception in the block comes out as it is, never inside an exception group. So does the
    failure of a top-level actor that has used up its restarts: the block is cancelled, and
    EscalatedError comes out.

    Args:
        name: Names the runtime in addresses.
        supervision: Terms for actors that are spawned without any of their own.
        shutdown_timeout: Seconds for the orderly end.
        tracer_provider: Records a span for every message; None for none, unless `trace_messages`.
        trace_messages: Record spans, with the global tracer provider unless another is given: True
            for all messages, a number below 1 for that share of them, chosen by chance.
        meter_provider: Measures mailboxes, queues, handlers, restarts and dead letters; None for
            none of it. Names and attributes stand in `callboard.runtime.metrics`.
        signals: End in good order at SIGINT or SIGTERM: the block is cancelled, actors handle what
            is queued, KeyboardInterrupt or SystemExit comes out. A second signal cuts that short, a
            third ends the program. Only in the main thread.
        watchdog: Log which handler blocks the event loop for more than so many seconds; None for no
            watch, which is kept by a thread.
        journal: Keeps every message and what becomes of it, a `callboard.runtime.journal.Journal`,
            which the runtime opens and closes. If it can't be written, the runtime ends with its
            error.
    """

    def __init__(
        self,
        *,
        name: str = "main",
        supervision: Supervision | None = None,
        shutdown_timeout: float = STOP_TIMEOUT,
        tracer_provider: "TracerProvider | None" = None,
        trace_messages: bool | float = False,
        meter_provider: "MeterProvider | None" = None,
        journal: Recorder | None = None,
        signals: bool = False,
        watchdog: float | None = None,
    ) -> None:
        self.name = name
        self.dead_letters = DeadLetters()
        """What could not be delivered; still readable after the end."""
        self._usual = Terms(
            mailbox=MailboxOptions(),
            restart="permanent",
            supervision=supervision or Supervision(),
        )
        self._shutdown_timeout = shutdown_timeout
        self._meter = message_meter(meter_provider)
        self._observer = observers_for(tracer_provider, trace_messages, self._meter, journal)
        self._journal = journal
        self._signals = signals
        self._watchdog = None if watchdog is None else Watchdog(name, watchdog)
        self._signal: signal.Signals | None = None
        self._hurried = False
        self._patience: anyio.CancelScope | None = None
        """Around the orderly end; cancelled when a second signal comes."""
        self._company = ExitStack()
        """What is to be undone when everything has ended."""
        self._group: TaskGroup | None = None
        self._body: anyio.CancelScope | None = None
        self._kernel: Kernel | None = None
        self._supervisor: Supervisor | None = None
        self._fatal: BaseException | None = None

    async def __aenter__(self) -> Self:
        if self._kernel is not None:
            raise RuntimeError("a Runtime is entered once: make a new one")
        loop, context = current_loop(), copy_context()
        context.run(_belong_to_nobody)
        if self._journal is not None:
            await self._journal.open(self.name)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._body = anyio.CancelScope()
        self._body.__enter__()
        self._kernel = Kernel(
            name=self.name,
            loop=loop,
            workers=Workers(loop, self._group, context),
            context=context,
            dead_letters=self.dead_letters,
            tracer=self._observer,
            journal=self._journal,
            abort=self._abort,
        )
        self._supervisor = Supervisor(self._kernel)
        notice_forks(self._kernel)
        if self._signals:
            caught = Signals(current_waker(), self._interrupt, self._hurry)
            self._company.enter_context(caught)
        if self._watchdog is not None:
            context.copy().run(self._group.start_soon, self._watchdog.run)
        if self._meter is not None:
            ends = self._supervisor.ends
            self._meter.open(lambda: living(ends), self.statistics)
        context.copy().run(self._group.start_soon, self._kernel.timers.run)
        if self._journal is not None:
            context.copy().run(self._group.start_soon, self._keep_journal, self._journal)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        group, body = self._group, self._body
        assert group is not None, "entered before it is left"  # noqa: S101  an invariant
        assert body is not None, "entered before it is left"  # noqa: S101  an invariant
        graceful = (exc is None or self._signal is not None) and self._fatal is None
        try:
            swallowed = body.__exit__(exc_type, exc, traceback)
            await self._wind_up(graceful=graceful)
        finally:
            self._world().close()
            if self._watchdog is not None:
                self._watchdog.close()
            if self._meter is not None:
                self._meter.close()
            await self._close_journal()
            context = self._world().context.copy()
            context.run(group.start_soon, report_lingering, self._entered().ends.abandoned)
            with self._company:
                await group.__aexit__(None, None, None)
        if self._fatal is not None:
            raise self._fatal
        if self._signal is not None:
            raise farewell_for(self._signal)
        return bool(swallowed)

    async def spawn(
        self,
        factory: Callable[[*Ts], Behaviour],
        *args: *Ts,
        name: str | None = None,
        mailbox: MailboxOptions | None = None,
        restart: Restart = "permanent",
        supervision: Supervision | None = None,
        shutdown: Shutdown = None,
        passivate_after: float | None = None,
    ) -> ActorRef:
        """Start an actor and wait for its `on_start`.

        Args:
            factory: An Actor class, or a function that returns an actor; called again, with the
                same arguments, for every restart.
            *args: What the factory is called with; type checkers compare them with its signature.
            name: Unique among living siblings; None for a fresh one after the class.
            mailbox: Bound and overflow policy; None for 1024 messages and senders that wait.
            restart: "permanent" and "transient" actors start anew after a failure, "temporary" ones
                end.
            supervision: How failures of the actor are met, and those of its children that have no
                terms of their own; None for the runtime's.
            shutdown: Seconds that it has when its parent, its group or the runtime ends it, "kill"
                for none and no `on_stop`; None for what those allow.
            passivate_after: Seconds of idleness after which it is put to rest: a snapshot is taken,
                `on_stop` runs, the instance goes. The next message wakes it: a new instance gets
                the snapshot, `on_start` runs. Address, mailbox, timers and watchers stay; actors
                with children never rest. None for never.

        Raises:
            NameTakenError: A living sibling has the name.
            ActorStoppedError: The runtime is ending.
            Exception: Whatever the constructor or `on_start` raises; nothing was started then.
        """
        usual = self._usual
        wanted = (mailbox, supervision, shutdown, passivate_after)
        if wanted != (None, None, None, None) or restart != usual.restart:
            usual = Terms(
                mailbox=mailbox or usual.mailbox,
                restart=restart,
                supervision=supervision or usual.supervision,
                shutdown=shutdown,
                passivate_after=passivate_after,
            )
        return ActorRef(await self._entered().spawn(None, factory, args, name, usual))

    async def publish(self, topic: Topic[M], message: M) -> int:
        """Send a message to all subscribers of a topic, and return how many took it.

        All are tried at once; then those whose mailboxes block are waited for together, each for
        the message's `default_timeout` at most. A subscriber that does not take it in the end costs
        a dead letter, and no error here.

        Raises:
            TypeError: The message is not of the topic's type.
        """
        return await publish(self._world(), topic, message)

    def subscribe(self, topic: Topic[Any], ref: ActorRef) -> None:
        """Have an actor receive what is published under a topic, until it ends."""
        self._world().subscriptions.add(topic, ref.endpoint)

    def unsubscribe(self, topic: Topic[Any], ref: ActorRef) -> None:
        """End a subscription; no matter whether there was one."""
        self._world().subscriptions.remove(topic, ref.endpoint)

    async def watch(self, ref: ActorRef) -> Down:
        """Wait for the end of an actor; at once if it has ended already."""
        return await self._entered().ends.wait_down(_cell(ref))

    def find(self, address: Address | str) -> ActorRef | None:
        """Return a reference to a living actor by its address or path; None if there is none."""
        path = address.path if isinstance(address, Address) else address
        if isinstance(address, Address) and address.runtime != self.name:
            return None
        cells: dict[str, Cell] | None = self._entered().ends.roots
        cell: Cell | None = None
        for name in path.split("/"):
            cell = (cells or {}).get(name)
            if cell is None:
                return None
            cells = cell.children
        return None if cell is None else ActorRef(cell)

    async def settle(self) -> None:
        """Wait until nothing is queued and no handler runs; for tests and orderly ends.

        Messages that are scheduled for later are not waited for. Bound it with `anyio.fail_after`.

        Raises:
            RuntimeError: If a handler calls it: it would wait for itself.
        """
        if current_envelope.get() is not None:
            raise RuntimeError("settle waits until no handler runs, so no handler can call it")
        await self._world().workers.quiet()

    async def stop(self, *, timeout: float | None = None) -> None:
        """End all actors, as leaving the block does; actors can no longer be spawned.

        Called by a handler, it waits neither for that handler's actor nor for quiet before the end.

        Args:
            timeout: Seconds for what is queued; None for the runtime's `shutdown_timeout`.
        """
        kernel, supervisor = self._world(), self._entered()
        patience = self._shutdown_timeout if timeout is None else timeout
        with anyio.move_on_after(patience) as scope:
            if current_envelope.get() is None:
                await kernel.workers.quiet()
        kernel.closing = True
        await supervisor.ends.stop_all(max(0.0, scope.deadline - anyio.current_time()))

    def statistics(self) -> Statistics:
        """Return where all messages have gone; the numbers add up at any moment."""
        return count_messages(self._world(), self._entered().ends)

    def mailbox(self, ref: ActorRef) -> MailboxStatistics:
        """Return the numbers of one actor's mailbox."""
        return _cell(ref).mailbox.statistics()

    def tree(self) -> ActorTree:
        """Return all living actors; `print` draws them."""
        return draw_tree(self._world(), self._entered().ends)

    async def _wind_up(self, *, graceful: bool) -> None:
        try:
            if graceful and not self._hurried:
                with anyio.CancelScope() as self._patience:
                    await self.stop()
        finally:
            with anyio.CancelScope(shield=True):
                await self.stop(timeout=0)

    async def _keep_journal(self, journal: Recorder) -> None:
        try:
            await journal.run()
        except Exception as error:  # noqa: BLE001  comes out of the block, not of a group
            self._abort(error)

    async def _close_journal(self) -> None:
        if self._journal is None:
            return
        try:
            with anyio.CancelScope(shield=True):
                await self._journal.aclose()
        except Exception as error:  # noqa: BLE001  comes out of the block, after its end
            self._fatal = self._fatal or error

    def _interrupt(self, number: signal.Signals) -> None:
        self._signal = number
        if self._body is not None:
            self._body.cancel()

    def _hurry(self) -> None:
        self._hurried = True
        if self._patience is not None:
            self._patience.cancel()

    def _abort(self, error: BaseException) -> None:
        if self._fatal is None and self._body is not None:
            self._fatal = error
            self._body.cancel()

    def _world(self) -> Kernel:
        if self._kernel is None:
            raise RuntimeError("enter the runtime first: async with Runtime() as runtime")
        return self._kernel

    def _entered(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("enter the runtime first: async with Runtime() as runtime")
        return self._supervisor


def _belong_to_nobody() -> None:
    # A runtime may be entered in a handler of another; what it does later is not that handler's.
    current_envelope.set(None)
    set_ambient_deadline(math.inf)


def _cell(ref: ActorRef) -> Cell:
    endpoint = ref.endpoint
    assert isinstance(endpoint, Cell), "references lead to cells"  # noqa: S101  an invariant
    return endpoint
