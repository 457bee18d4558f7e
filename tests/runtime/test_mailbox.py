"""The mailbox against a model of itself."""

from contextvars import Context
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callboard.runtime.envelope import Envelope, Kind, Party
from callboard.runtime.loops import Slot
from callboard.runtime.mail_room import MailRoom
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


def envelope(number: int, kind: Kind = "tell", slot: Any = None, sender: Any = None) -> Envelope:
    return Envelope(number, cast("Party", None), kind, slot, sender, 0.0, Context())


def mailbox(clock: Any = lambda: 0.0, complain: Any = None, **options: Any) -> Mailbox:
    room = MailRoom(counters=Counters(), clock=clock, complain=complain)
    return Mailbox(MailboxOptions(**options), room)


def content(box: Mailbox) -> list[Any]:
    return [letter.message for letter in box]


class MailboxModel(RuleBasedStateMachine):
    """Puts, takes, drops and waits in any order; a plain list says what should be inside."""

    def __init__(self) -> None:
        super().__init__()
        self.counters = Counters()
        self.now = 0.0
        self.most = 0
        self.entered: dict[int, float] = {}
        self.room_shared = MailRoom(
            counters=self.counters, clock=lambda: self.now, complain=cast("Any", None)
        )
        self.spare = self.room_shared.spare
        self.inside: list[int] = []
        self.line: list[tuple[int, FakeSlot]] = []
        self.number = 0
        self.gone = 0

    @initialize(capacity=st.integers(1, 4))
    def open(self, capacity: int) -> None:
        self.capacity = capacity
        self.mailbox = Mailbox(MailboxOptions(capacity=capacity), self.room_shared)

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
    def take_and_put_back(self) -> None:
        if self.inside and not self.line:
            taken = self.mailbox.take()
            assert taken is not None
            self.mailbox.put_back(taken)

    @rule(seconds=st.floats(0.0, 5.0))
    def wait_a_while(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def evict(self) -> None:
        victim = self.mailbox.evict(envelope(0))
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
    def knows_its_numbers(self) -> None:
        if not hasattr(self, "mailbox"):
            return
        self.entered = {n: self.entered.get(n, self.now) for n in self.inside}
        numbers = self.mailbox.statistics()
        assert numbers.depth == len(self.inside)
        assert numbers.high_water >= min(numbers.depth, 1)
        assert numbers.blocked == len(self.line)
        ages = [self.now - at for at in self.entered.values()]
        assert 0 <= numbers.oldest_age <= max(ages, default=0.0)

    @invariant()
    def conserved(self) -> None:
        assert self.counters.accepted == self.gone + len(self.inside)

    @invariant()
    def empty_holds_no_queue(self) -> None:
        if hasattr(self, "mailbox"):
            assert (self.mailbox.queue is None) is (not self.inside)
            assert all(not queue for queue in self.spare)


TestMailbox = MailboxModel.TestCase


@given(st.lists(st.integers(-3, 3), max_size=30))
def test_priority_sorts_and_keeps_the_order_of_equals(ratings: list[int]) -> None:
    """Higher messages leave first; among equal ones the first that came."""
    box = mailbox(priority=lambda message: message[0])
    numbered = list(enumerate(ratings))
    for number, rating in numbered:
        assert box.put(envelope(cast("Any", (rating, number))))
    expected = sorted(
        ((rating, number) for number, rating in numbered), key=lambda m: (-m[0], m[1])
    )
    assert content(box) == expected


def test_priority_decides_who_is_dropped() -> None:
    """The oldest of the lowest makes room, unless the newcomer is lower still."""
    box = mailbox(capacity=3, overflow="drop_oldest", priority=lambda number: number // 10)
    for number in (11, 12, 21):
        box.put(envelope(number))
    assert box.evict(envelope(5)) is None
    victim = box.evict(envelope(13))
    assert victim is not None
    assert victim.message == 11
    box.force(envelope(13))
    assert content(box) == [21, 12, 13]


def test_control_overtakes_all_but_last_words() -> None:
    """A Down comes next, yet never before what the actor that ended had sent."""
    dead = object()
    box = mailbox(capacity=5)
    for number, sender in ((1, None), (2, dead), (3, None)):
        box.put(envelope(number, sender=sender))
    box.expedite(envelope(90, "control"), cast("Any", dead))
    box.expedite(envelope(91, "control"), cast("Any", object()))
    assert content(box) == [1, 2, 90, 91, 3]
    other = mailbox()
    other.put(envelope(1))
    other.expedite(envelope(90, "control"), cast("Any", dead))
    other.expedite(envelope(91, "control"), cast("Any", dead))
    assert content(other) == [90, 91, 1]


def test_age_and_high_water() -> None:
    """The age is that of the head where it is known, and grows while nothing is taken."""
    now = [0.0]
    box = mailbox(clock=lambda: now[0])
    for number in range(3):
        box.put(envelope(number))
    box.mark_last(box.queue)  # what a busy actor does with the first message that waits
    now[0] = 4.0
    assert box.statistics().oldest_age == 4.0
    box.take()
    box.take()
    box.put(envelope(3))
    box.take()
    assert box.statistics().oldest_age == 0.0  # at least: when the rest came is not known
    now[0] = 6.0
    assert box.statistics().oldest_age == 2.0
    box.take()
    numbers = box.statistics()
    assert (numbers.depth, numbers.high_water, numbers.oldest_age) == (0, 3, 0.0)


def test_complains_from_the_threshold_on() -> None:
    """Each message beyond the threshold is reported with the depth it makes."""
    depths: list[int] = []
    box = mailbox(complain=lambda _, depth: depths.append(depth), warn_at=2)
    for number in range(4):
        box.put(envelope(number))
    assert depths == [2, 3, 4]
    box.take()
    box.put(envelope(9))
    assert depths == [2, 3, 4, 4]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MailboxOptions(capacity=0),
        lambda: MailboxOptions(overflow="explode"),  # type: ignore[arg-type]
        lambda: MailboxOptions(redeliver=-1),
        lambda: MailboxOptions(warn_at=0),
    ],
)
def test_rejects_nonsense(make: Any) -> None:
    """A mailbox without room, or with an unknown policy, is refused where it is written."""
    with pytest.raises(ValueError, match=r"mailbox|overflow|redeliver"):
        make()
