"""Controls: each promise of docs/guarantees.md is broken on purpose, and its test must notice.

A test that passes whatever the runtime does proves nothing. Here every promise is broken by a small
change, and the very test that stands for it in tests/runtime must fail under it.
"""

import importlib.util
import math
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

from callboard.runtime import actor as actor_module
from callboard.runtime import cell, ends, handling, inbox, kernel, mailbox, restarts
from callboard.runtime.envelope import Envelope
from callboard.runtime.outcomes import Outcomes
from callboard.runtime.supervision import Decision, decide

HERE = Path(__file__).parent
Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One broken variant, and the test that must fail under it."""

    promise: int
    """Number of the promise in docs/guarantees.md."""
    test: str
    """The test, "module: function"."""
    sabotage: Callable[[Patch], None]
    """Breaks the promise."""

    def __str__(self) -> str:
        return f"{self.promise}-{self.sabotage.__name__}"


def deliver_newest_first(patch: Patch) -> None:
    honest = mailbox.Mailbox.take

    def take(self: mailbox.Mailbox) -> Any:
        if self.queue:
            self.queue.reverse()
        return honest(self)

    patch.setattr(mailbox.Mailbox, "take", take)


def deliver_twice(patch: Patch) -> None:
    honest = mailbox.Mailbox.put

    def put(self: mailbox.Mailbox, envelope: Any) -> bool:
        taken = honest(self, envelope)
        if taken and self.queue is not None and envelope.kind == "tell":
            context = envelope.context.copy()
            again = Envelope(
                envelope.message, envelope.recipient, "tell", None, None, math.inf, context
            )
            self.force(again)
        return taken

    patch.setattr(mailbox.Mailbox, "put", put)


def handle_everything_at_once(patch: Patch) -> None:
    def admissible(self: Any, envelope: Any) -> None:
        self._start_reentrant(envelope, self.table.find(type(envelope.message)))

    patch.setattr(handling.Handling, "_admissible", admissible)


def forget_the_dead(patch: Patch) -> None:
    honest = kernel.Kernel.bury

    def bury(self: kernel.Kernel, envelope: Any, reason: Any) -> None:
        honest(self, envelope, reason)
        self.counters.dead -= 1

    patch.setattr(kernel.Kernel, "bury", bury)


def ignore_deadlines(patch: Patch) -> None:
    patch.setattr(inbox.Inbox, "expired", lambda self, envelope: None)


def find_no_cycles(patch: Patch) -> None:
    patch.setattr(inbox, "find_cycle", lambda sender, target: [])


def have_room_for_everything(patch: Patch) -> None:
    def put(self: mailbox.Mailbox, envelope: Any) -> bool:
        self.force(envelope)
        return True

    patch.setattr(mailbox.Mailbox, "put", put)


def queue_control_like_the_rest(patch: Patch) -> None:
    patch.setattr(mailbox.Mailbox, "expedite", lambda self, envelope, _: self.force(envelope))


def lose_the_mailbox_at_a_restart(patch: Patch) -> None:
    honest = cell.Cell.reopen

    def reopen(self: cell.Cell) -> None:
        if self.incarnation:
            for envelope in self.mailbox.flush():
                self.bury(envelope, "restarted")
        honest(self)

    patch.setattr(cell.Cell, "reopen", reopen)


def keep_the_state_at_a_restart(patch: Patch) -> None:
    def snapshot(self: Any) -> Any:
        return dict(vars(self))

    def restore(self: Any, state: Any) -> None:
        vars(self).update(state)

    patch.setattr(actor_module.Actor, "snapshot", snapshot)
    patch.setattr(actor_module.Actor, "restore", restore)


def forget_snapshots(patch: Patch) -> None:
    patch.setattr(restarts, "take_snapshot", lambda cell: None)


def redeliver_for_ever(patch: Patch) -> None:
    def try_again(self: Any, envelope: Any, error: BaseException) -> None:
        self.mailbox.put_back(envelope)
        self._crashed(error)

    patch.setattr(Outcomes, "_try_again", try_again)


def restart_without_end(patch: Patch) -> None:
    def lenient(**given: Any) -> Decision:
        decision = decide(**given)
        return Decision(action="restart", history=decision.history)

    patch.setattr(restarts, "decide", lenient)


def stop_groups_oldest_first(patch: Patch) -> None:
    patch.setattr(restarts, "reversed", iter, raising=False)


def end_the_oldest_first(patch: Patch) -> None:
    patch.setattr(ends, "reversed", iter, raising=False)


def tell_of_an_end_twice(patch: Patch) -> None:
    honest = cell.Cell.deliver_down

    def deliver(self: cell.Cell, envelope: Any, ended: Any) -> None:
        honest(self, envelope, ended)
        honest(self, self.kernel.control(envelope.message, self), ended)

    patch.setattr(cell.Cell, "deliver_down", deliver)


def keep_ends_secret(patch: Patch) -> None:
    patch.setattr(cell.Cell, "deliver_down", lambda self, envelope, ended: None)


CONTROLS = [
    Control(promise=1, test="test_tell: one_senders_order", sabotage=deliver_newest_first),
    Control(promise=1, test="test_tell: one_senders_order", sabotage=deliver_twice),
    Control(
        promise=2,
        test="test_reentrant: others_come_one_at_a_time",
        sabotage=handle_everything_at_once,
    ),
    Control(promise=3, test="test_redelivery: poison_is_quarantined", sabotage=forget_the_dead),
    Control(promise=4, test="test_ask: timeout_while_handling", sabotage=ignore_deadlines),
    Control(promise=5, test="test_cycles: circle_of_three", sabotage=find_no_cycles),
    Control(
        promise=5,
        test="test_tell: two_actors_with_full_mailboxes_do_not_hang",
        sabotage=find_no_cycles,
    ),
    Control(promise=6, test="test_tell: reject", sabotage=have_room_for_everything),
    Control(
        promise=6,
        test="test_redelivery: down_overtakes_a_backlog_but_not_last_words",
        sabotage=queue_control_like_the_rest,
    ),
    Control(
        promise=7,
        test="test_failures: restart_discards_state_and_keeps_the_mailbox",
        sabotage=lose_the_mailbox_at_a_restart,
    ),
    Control(
        promise=7,
        test="test_failures: restart_discards_state_and_keeps_the_mailbox",
        sabotage=keep_the_state_at_a_restart,
    ),
    Control(promise=7, test="test_snapshot: state_survives_a_restart", sabotage=forget_snapshots),
    Control(promise=8, test="test_redelivery: poison_is_quarantined", sabotage=redeliver_for_ever),
    Control(
        promise=9,
        test="test_group_restart: failures_of_a_group_count_together",
        sabotage=restart_without_end,
    ),
    Control(
        promise=7,
        test="test_group_restart: mailboxes_survive_the_restart_of_the_group",
        sabotage=lose_the_mailbox_at_a_restart,
    ),
    Control(
        promise=10,
        test="test_group_restart: runtime_ends_while_a_group_restarts",
        sabotage=stop_groups_oldest_first,
    ),
    Control(
        promise=10,
        test="test_stop: family_ends_from_the_youngest_up",
        sabotage=end_the_oldest_first,
    ),
    Control(promise=11, test="test_stop: down_comes_once", sabotage=tell_of_an_end_twice),
    Control(promise=11, test="test_stop: down_for_the_already_dead", sabotage=keep_ends_secret),
]


@pytest.fixture
def find_test() -> Iterator[Callable[[str], Callable[[], Awaitable[None]]]]:
    """Lend a function that loads a test by its name, as "module: function"."""
    loaded: list[str] = []

    def find(name: str) -> Callable[[], Awaitable[None]]:
        module_name, _, function = name.partition(": ")
        path = HERE.parent / "runtime" / f"{module_name}.py"
        alias = f"controlled_{module_name}"
        spec = importlib.util.spec_from_file_location(alias, path)
        assert spec is not None
        assert spec.loader is not None
        module: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[alias] = module
        loaded.append(alias)
        spec.loader.exec_module(module)
        return getattr(module, f"test_{function}")

    yield find
    for alias in loaded:
        del sys.modules[alias]


async def within(test: Callable[[], Awaitable[None]]) -> None:
    with anyio.fail_after(3):
        await test()


@pytest.mark.parametrize("test", sorted({control.test for control in CONTROLS}))
def test_the_honest_runtime_passes(test: str, find_test: Any) -> None:
    """Nothing is proven by a test that fails anyway."""
    anyio.run(within, find_test(test))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_the_broken_runtime_is_caught(
    control: Control, find_test: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test that stands for a promise fails where the promise is broken."""
    test = find_test(control.test)
    control.sabotage(monkeypatch)
    with pytest.raises((Exception, pytest.fail.Exception)):
        anyio.run(within, test)
