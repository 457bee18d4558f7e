"""Journals: every message of a runtime and what became of it, on the disk, to read and replay."""

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
