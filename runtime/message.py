"""Messages: what actors say to one another, and the decorator that names who handles them."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

R = TypeVar("R")
A = TypeVar("A")

HANDLES = "__callboard_handles__"
"""Attribute of a decorated function: what it handles, as a tuple of `Handles`."""


def qualified_name(kind: type) -> str:
    """Return the name under which handlers are registered.

    A name and not the class, because `@dataclass(slots=True)` makes a class twice, a notebook cell
    that is run again makes it anew, and a pickled one may arrive as a copy.
    """
    return f"{kind.__module__}.{kind.__qualname__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handles:
    """What one decorated method handles."""

    message: str
    """Qualified name of the message class."""
    reentrant: bool
    """Whether it may run beside other handlers of the same actor."""


class Message(Generic[R]):
    """Base of what actors send; `R` is the type of the reply (None where there is nothing to say).

    Make it immutable: inside a process messages pass by reference. A frozen dataclass (with or
    without slots) and a pydantic model both work:

        @dataclass(frozen=True, slots=True)
        class Add(Message[int]):
            n: int

        class Quote(BaseModel, Message[None]):
            price: float
    """

    __slots__ = ()

    default_timeout: ClassVar[float] = 30.0
    """Seconds that an ask, or a tell to a full mailbox, waits unless it is told otherwise."""
    cancel_with_asker: ClassVar[bool] = False
    """Whether the handler is cancelled when nobody waits for the reply any more."""
    idempotent: ClassVar[bool] = False
    """Whether handling it twice is as good as once; only then may a remote ask be repeated."""
    schema_version: ClassVar[int] = 1
    """Raise it when the fields change: journals keep it, and upcasters read what is older."""

    @overload
    @classmethod
    def handler(
        cls, function: Callable[[A, Self], Coroutine[Any, Any, R]], /
    ) -> Callable[[A, Self], Coroutine[Any, Any, R]]: ...

    @overload
    @classmethod
    def handler(
        cls, function: None = None, /, *, reentrant: bool = False
    ) -> Callable[
        [Callable[[A, Self], Coroutine[Any, Any, R]]], Callable[[A, Self], Coroutine[Any, Any, R]]
    ]: ...

    @classmethod
    def handler(cls, function: Any = None, /, *, reentrant: bool = False) -> Any:
        """Declare an async method of an actor as the handler for this message.

        Handlers of one actor run one at a time, in the order in which the messages arrived. A
        reentrant one starts in that order, too, but from then on neither waits for the others nor
        makes them wait; it counts against the mailbox's capacity while it runs.

        Args:
            function: The method, where the decorator is used without parentheses.
            reentrant: Let it run beside other handlers of the same actor.
        """
        handles = Handles(message=qualified_name(cls), reentrant=reentrant)

        def mark(method: Any) -> Any:
            setattr(method, HANDLES, (*getattr(method, HANDLES, ()), handles))
            return method

        return mark if function is None else mark(function)
