"""Actors: typed messages, bounded mailboxes, supervision, and asks that always end."""

from typing import TYPE_CHECKING, Any

from callboard.runtime.actor import Actor
from callboard.runtime.address import Address
from callboard.runtime.ask_all import Answered, Outcome, Unanswered, ask_all
from callboard.runtime.context import Context
from callboard.runtime.dead_letters import DeadLetter, DeadLetters
from callboard.runtime.down import Down
from callboard.runtime.errors import (
    ActorError,
    ActorRestartedError,
    ActorStoppedError,
    AskCycleError,
    AskTimeoutError,
    EscalatedError,
    ForkedError,
    HandlerError,
    JournalRefusedError,
    JournalTimeoutError,
    MailboxFullError,
    NameTakenError,
    UnhandledMessageError,
)
from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.message import Message
from callboard.runtime.ref import ActorRef
from callboard.runtime.schedule import Schedule
from callboard.runtime.statistics import MailboxStatistics, Statistics
from callboard.runtime.supervision import Backoff, Supervision
from callboard.runtime.system import Runtime
from callboard.runtime.topics import Topic
from callboard.runtime.tree import ActorNode, ActorTree

if TYPE_CHECKING:
    from callboard.runtime.simulation.report import SimulationReport
    from callboard.runtime.simulation.run import simulate
    from callboard.runtime.simulation.search import explore

__all__ = [
    "Actor",
    "ActorError",
    "ActorNode",
    "ActorRef",
    "ActorRestartedError",
    "ActorStoppedError",
    "ActorTree",
    "Address",
    "Answered",
    "AskCycleError",
    "AskTimeoutError",
    "Backoff",
    "Context",
    "DeadLetter",
    "DeadLetters",
    "Down",
    "EscalatedError",
    "ForkedError",
    "HandlerError",
    "JournalRefusedError",
    "JournalTimeoutError",
    "MailboxFullError",
    "MailboxOptions",
    "MailboxStatistics",
    "Message",
    "NameTakenError",
    "Outcome",
    "Runtime",
    "Schedule",
    "SimulationReport",
    "Statistics",
    "Supervision",
    "Topic",
    "Unanswered",
    "UnhandledMessageError",
    "ask_all",
    "explore",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # Simulation is for tests: programs that only run actors should not load it.
    if name in ("SimulationReport", "explore", "simulate"):
        from callboard.runtime import simulation  # noqa: PLC0415

        return getattr(simulation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
