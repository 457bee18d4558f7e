"""Replay: an actor's state, made again from the messages that it once handled."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread

from callboard.runtime.actor import Actor
from callboard.runtime.address import Address
from callboard.runtime.errors import ActorError, HandlerError
from callboard.runtime.journal.decoder import Decoder
from callboard.runtime.journal.errors import ReplayError
from callboard.runtime.journal.life import Life, lives
from callboard.runtime.journal.reader import JournalReader
from callboard.runtime.journal.record import AcceptedRecord
from callboard.runtime.journal.rehearsal import Rehearsal
from callboard.runtime.journal.upcasters import Upcasters
from callboard.runtime.message import Message
from callboard.runtime.system import Runtime

A = TypeVar("A", bound=Actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an actor said to one message of the journal."""

    sequence: int
    """The number of the message's AcceptedRecord."""
    message: Any
    """The message."""
    value: Any
    """The reply; None if it was an error."""
    error: BaseException | None
    """One of the actor's `reply_errors`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed(Generic[A]):
    """An actor after a replay."""

    actor: A
    """The actor, with the state that its messages have led to."""
    replies: tuple[Reply, ...]
    """Its replies, in order."""


async def replay(
    factory: Callable[[], A],
    journal: Path | str | JournalReader,
    *,
    address: Address | str,
    upcasters: Upcasters | None = None,
    messages: Iterable[type[Message[Any]]] = (),
    until: int | None = None,
    timeout: float = 30.0,
) -> Replayed[A]:
    """Make an actor anew and let it handle again what its address has handled, in the same order.

    The order is that in which the handlers started; reentrant ones, too, run one by one. Failed,
    dead, unfinished and control messages (Down) are left out, restarts are not repeated, and
    `context.sender` is None. The actor runs in a
    runtime of its own: `on_start` and `on_stop` run, children can be spawned and asked, but timers
    never fire, nobody else is there, and what it is told by anybody but the journal becomes a dead
    letter. Effects outside of actors (files, network) happen again: leave them to other actors.

    Args:
        factory: Makes the actor: its class, or `lambda: Counter(10)`.
        journal: The journal's folder, one of its segments, or its reader.
        address: Whose messages.
        upcasters: What turns older versions of messages into today's.
        messages: Message classes that win over loaded ones of the same name.
        until: The number of the first record that no longer counts; None for all.
        timeout: Seconds for each message.

    Raises:
        ReplayError: A message that was once handled failed, or took too long.
        MessageTypeError: The class of a message is not loaded.
        UpcastError: A body does not fit its class.
        CorruptedJournalError: The journal is damaged.
    """
    reader = journal if isinstance(journal, JournalReader) else JournalReader(journal)
    path = address.path if isinstance(address, Address) else address
    handled = await anyio.to_thread.run_sync(_handled, reader, path, until)
    decoder = Decoder(upcasters, messages)
    async with Runtime() as runtime:
        await _stop_the_clock(runtime)
        name = path.rpartition("/")[2]
        ref = await runtime.spawn(factory, name=name, restart="temporary")
        rehearsal: Rehearsal[A] = Rehearsal(ref)
        actor = rehearsal.actor
        replies = [await _play(rehearsal, record, decoder, timeout) for record in handled]
        return Replayed(actor=actor, replies=tuple(replies))
    raise AssertionError("a runtime's block ends as its body does")  # for type checkers


def _handled(reader: JournalReader, path: str, until: int | None) -> list[AcceptedRecord]:
    records = takewhile(lambda record: until is None or record.sequence < until, reader)
    handled = [(_start(life), life.accepted) for life in lives(records) if _counts(life, path)]
    return [accepted for _, accepted in sorted(handled, key=itemgetter(0))]


def _counts(life: Life, path: str) -> bool:
    accepted = life.accepted
    return life.outcome == "handled" and accepted.recipient == path and accepted.kind != "control"


def _start(life: Life) -> int:
    return life.accepted.sequence if life.started is None else life.started.sequence


async def _stop_the_clock(runtime: Runtime) -> None:
    """Let no timer of the runtime ever fire; for that, somebody has to live in it."""
    bystander = await runtime.spawn(Actor)
    bystander.endpoint.kernel.timers.close()
    await bystander.stop()


async def _play(
    rehearsal: Rehearsal[Any], record: AcceptedRecord, decoder: Decoder, timeout: float
) -> Reply:
    message = decoder.message(record)
    value, error = None, None
    try:
        with anyio.fail_after(timeout):
            value = await rehearsal.play(message)
    except rehearsal.actor.reply_errors as answer:
        error = answer
    except HandlerError as failure:
        raise ReplayError(record.sequence, record.message, failure.cause) from failure.cause
    except (ActorError, TimeoutError) as failure:
        raise ReplayError(record.sequence, record.message, failure) from failure
    return Reply(sequence=record.sequence, message=message, value=value, error=error)
