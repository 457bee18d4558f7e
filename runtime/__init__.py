"""Actors: typed messages, bounded mailboxes, supervision, and asks that always end.

Names are imported when they are first used, so that a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from callboard.ambient.face import lazy_face

if TYPE_CHECKING:
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
    from callboard.runtime.simulation.report import SimulationReport
    from callboard.runtime.simulation.run import simulate
    from callboard.runtime.simulation.search import explore
    from callboard.runtime.statistics import MailboxStatistics, Statistics
    from callboard.runtime.supervision import Backoff, Supervision
    from callboard.runtime.system import Runtime
    from callboard.runtime.topics import Topic
    from callboard.runtime.tree import ActorNode, ActorTree

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

lazy_face(
    __name__,
    {
        "callboard.runtime.actor": ["Actor"],
        "callboard.runtime.address": ["Address"],
        "callboard.runtime.ask_all": ["Answered", "Outcome", "Unanswered", "ask_all"],
        "callboard.runtime.context": ["Context"],
        "callboard.runtime.dead_letters": ["DeadLetter", "DeadLetters"],
        "callboard.runtime.down": ["Down"],
        "callboard.runtime.errors": [
            "ActorError",
            "ActorRestartedError",
            "ActorStoppedError",
            "AskCycleError",
            "AskTimeoutError",
            "EscalatedError",
            "ForkedError",
            "HandlerError",
            "JournalRefusedError",
            "JournalTimeoutError",
            "MailboxFullError",
            "NameTakenError",
            "UnhandledMessageError",
        ],
        "callboard.runtime.mailbox": ["MailboxOptions"],
        "callboard.runtime.message": ["Message"],
        "callboard.runtime.ref": ["ActorRef"],
        "callboard.runtime.schedule": ["Schedule"],
        "callboard.runtime.simulation.report": ["SimulationReport"],
        "callboard.runtime.simulation.run": ["simulate"],
        "callboard.runtime.simulation.search": ["explore"],
        "callboard.runtime.statistics": ["MailboxStatistics", "Statistics"],
        "callboard.runtime.supervision": ["Backoff", "Supervision"],
        "callboard.runtime.system": ["Runtime"],
        "callboard.runtime.topics": ["Topic"],
        "callboard.runtime.tree": ["ActorNode", "ActorTree"],
    },
)
