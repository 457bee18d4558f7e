"""Journals: every message of a runtime and what became of it, on the disk, to read and replay.

Names are imported when they are first used, so that a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from callboard.ambient.face import lazy_face

if TYPE_CHECKING:
    from callboard.runtime.journal.decoder import Decoder
    from callboard.runtime.journal.errors import (
        CorruptedJournalError,
        JournalClosedError,
        JournalError,
        JournalLockedError,
        JournalVersionError,
        JournalWriteError,
        MessageTypeError,
        ReplayError,
        UpcastError,
    )
    from callboard.runtime.journal.journal import Journal
    from callboard.runtime.journal.life import Life, lives
    from callboard.runtime.journal.reader import JournalReader
    from callboard.runtime.journal.record import AcceptedRecord, FateRecord, Record, SessionRecord
    from callboard.runtime.journal.replay import Replayed, Reply, replay
    from callboard.runtime.journal.segment import TornTail
    from callboard.runtime.journal.upcasters import Body, RecordedMessage, Upcasters

__all__ = [
    "AcceptedRecord",
    "Body",
    "CorruptedJournalError",
    "Decoder",
    "FateRecord",
    "Journal",
    "JournalClosedError",
    "JournalError",
    "JournalLockedError",
    "JournalReader",
    "JournalVersionError",
    "JournalWriteError",
    "Life",
    "MessageTypeError",
    "Record",
    "RecordedMessage",
    "ReplayError",
    "Replayed",
    "Reply",
    "SessionRecord",
    "TornTail",
    "UpcastError",
    "Upcasters",
    "lives",
    "replay",
]

lazy_face(
    __name__,
    {
        "callboard.runtime.journal.decoder": ["Decoder"],
        "callboard.runtime.journal.errors": [
            "CorruptedJournalError",
            "JournalClosedError",
            "JournalError",
            "JournalLockedError",
            "JournalVersionError",
            "JournalWriteError",
            "MessageTypeError",
            "ReplayError",
            "UpcastError",
        ],
        "callboard.runtime.journal.journal": ["Journal"],
        "callboard.runtime.journal.life": ["Life", "lives"],
        "callboard.runtime.journal.reader": ["JournalReader"],
        "callboard.runtime.journal.record": [
            "AcceptedRecord",
            "FateRecord",
            "Record",
            "SessionRecord",
        ],
        "callboard.runtime.journal.replay": ["Replayed", "Reply", "replay"],
        "callboard.runtime.journal.segment": ["TornTail"],
        "callboard.runtime.journal.upcasters": ["Body", "RecordedMessage", "Upcasters"],
    },
)
