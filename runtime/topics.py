"""Topics: named, typed channels from any sender to many actors."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from callboard.runtime.message import Message

M = TypeVar("M", bound=Message[Any])
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Topic(Generic[M]):
    """A name to publish under, and the type of what is published.

        prices = Topic("prices", Quote)

    Two topics are the same if name and type are. A topic belongs to no runtime.
    """

    name: str
    """What it is about."""
    message_type: type[M]
    """What is published: this class and its subclasses."""


class Subscriptions(Generic[P]):
    """Who has subscribed to what, in order of subscription."""

    def __init__(self) -> None:
        self._by_topic: dict[Topic[Any], dict[P, None]] = {}
        self._by_subscriber: dict[P, set[Topic[Any]]] = {}

    def add(self, topic: Topic[Any], subscriber: P) -> None:
        """Subscribe; once is enough."""
        self._by_topic.setdefault(topic, {})[subscriber] = None
        self._by_subscriber.setdefault(subscriber, set()).add(topic)

    def remove(self, topic: Topic[Any], subscriber: P) -> None:
        """Unsubscribe; no matter whether there was a subscription."""
        subscribers = self._by_topic.get(topic, {})
        subscribers.pop(subscriber, None)
        if not subscribers:
            self._by_topic.pop(topic, None)
        topics = self._by_subscriber.get(subscriber, set())
        topics.discard(topic)
        if not topics:
            self._by_subscriber.pop(subscriber, None)

    def forget(self, subscriber: P) -> None:
        """End all subscriptions of one subscriber."""
        for topic in tuple(self._by_subscriber.get(subscriber, ())):
            self.remove(topic, subscriber)

    def of(self, topic: Topic[Any]) -> tuple[P, ...]:
        """Return the subscribers of a topic, in order of subscription."""
        return tuple(self._by_topic.get(topic, ()))
