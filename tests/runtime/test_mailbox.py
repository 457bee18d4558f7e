"""The mailbox against a model of itself."""

from contextvars import Context
from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callboard.runtime.envelope import Envelope, Kind, Party
from callboard.runtime.loops import Slot
from callboard.runtime.mailbox import Mailbox, MailboxOptions
from callboard.runtime.statistics import Counters


class FakeSlot:
    """A slot without an event loop."""

    def __init__(self) -> None:
        self.value: list[Any] = []
        self.given_up = False

    def done(self) -> bool:
        return bool(self.value) or self.given_up

    def set_result(self, value: Any) -> None:
        assert not self.done(), "a slot is set once"
        self.value.append(value)


def envelope(number: int, kind: Kind = "tell", slot: Any = None) -> Envelope:
    return Envelope(number, cast("Party", None), kind, slot, None, 0.0, Context())


class MailboxModel(RuleBasedStateMachine):
    """Puts, takes, drops and waits in any order; a plain list says what should be inside."""

    def __init__(self) -> None:
        super().__init__()
        self.counters = Counters()
        self.spare: list[Any] = []
        self.inside: list[int] = []
        self.line: list[tuple[int, FakeSlot]] = []
        self.number = 0
        self.gone = 0

    @initialize(capacity=st.integers(1, 4))
    def open(self, capacity: int) -> None:
        self.capacity = capacity
        self.mailbox = Mailbox(MailboxOptions(capacity=capacity), self.counters, self.spare)

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def room(self) -> bool:
        return len(self.inside) + self.mailbox.held < self.capacity

    def let_in(self) -> None:
        """Do in the model what `admit` does."""
        while self.line and self.room():
            number, slot = self.line.pop(0)
            if not slot.given_up:
                self.inside.append(number)

    @rule()
    def put(self) -> None:
        number = self.fresh()
        expected = self.room()
        assert self.mailbox.put(envelope(number)) is expected
        if expected:
            self.inside.append(number)

    @rule()
    def force_control(self) -> None:
        number = self.fresh()
        self.mailbox.force(envelope(number, "control"))
        self.inside.append(number)

    @precondition(lambda self: not self.room())
    @rule(ask=st.booleans())
    def line_up(self, ask: bool) -> None:
        number, slot = self.fresh(), FakeSlot()
        waiting = envelope(number, "ask", slot) if ask else envelope(number)
        self.mailbox.wait(waiting, None if ask else cast("Slot", slot))
        self.line.append((number, slot))

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.line))[1].given_up = True

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.line))
        found = next(b for b in self.mailbox.blocked or () if b.envelope.message == entry[0])
        left = self.mailbox.leave(found.envelope)
        assert left is found
        assert self.mailbox.leave(found.envelope) is None
        self.line.remove(entry)

    @rule()
    def take(self) -> None:
        taken = self.mailbox.take()
        if not self.inside:
            assert taken is None
            return
        assert taken is not None
        assert taken.message == self.inside.pop(0)
        self.gone += 1
        self.let_in()

    @rule()
    def evict(self) -> None:
        victim = self.mailbox.evict()
        if victim is not None:
            assert victim.kind != "control"
            self.inside.remove(victim.message)
            self.gone += 1

    @rule()
    def hold(self) -> None:
        self.mailbox.held += 1

    @precondition(lambda self: self.mailbox.held)
    @rule()
    def release(self) -> None:
        self.mailbox.held -= 1
        self.mailbox.admit()
        self.let_in()

    @rule()
    def flush(self) -> None:
        rest = [letter.message for letter in self.mailbox.flush()]
        waiting = [number for number, slot in self.line if not slot.given_up]
        assert rest == self.inside + waiting
        self.gone += len(rest)
        self.inside, self.line = [], []

    @invariant()
    def same_content(self) -> None:
        if not hasattr(self, "mailbox"):
            return
        assert [letter.message for letter in self.mailbox] == self.inside
        assert len(self.mailbox) == len(self.inside)
        assert self.mailbox.has_room() is self.room()
        head = self.mailbox.peek()
        assert [head.message] == self.inside[:1] if head else not self.inside

    @invariant()
    def conserved(self) -> None:
        assert self.counters.accepted == self.gone + len(self.inside)

    @invariant()
    def empty_holds_no_queue(self) -> None:
        if hasattr(self, "mailbox"):
            assert (self.mailbox.queue is None) is (not self.inside)
            assert all(not queue for queue in self.spare)


TestMailbox = MailboxModel.TestCase


@pytest.mark.parametrize(
    "make",
    [lambda: MailboxOptions(capacity=0), lambda: MailboxOptions(overflow="explode")],  # type: ignore[arg-type]
)
def test_rejects_nonsense(make: Any) -> None:
    """A mailbox without room, or with an unknown policy, is refused where it is written."""
    with pytest.raises(ValueError, match=r"mailbox|overflow"):
        make()
