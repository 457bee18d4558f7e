"""stack(): the order of the layers, what they report, how they close, and that they travel."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from callboard.backends.backend import Backend, Generate
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.base import Wrapper
from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.middleware.retry import Retry
from callboard.backends.request import Request
from callboard.backends.stack import stack

pytestmark = pytest.mark.anyio


class Traced(Wrapper):
    """Writes down when a call passes in and out, and when it is closed."""

    def __init__(self, name: str, journal: list[str], *, closing: Exception | None = None) -> None:
        self.name = name
        self.journal = journal
        self.closing = closing

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        self.journal.append(f"{self.name} in")
        try:
            return await call_next(request, sink)
        finally:
            self.journal.append(f"{self.name} out")

    async def aclose(self) -> None:
        self.journal.append(f"{self.name} closed")
        if self.closing is not None:
            raise self.closing


class End:  # module-level, so that it pickles
    """A backend that writes down the same."""

    capabilities = Capabilities(structured=("json_schema",))

    def __init__(self, journal: list[str] | None = None) -> None:
        self.journal = [] if journal is None else journal

    async def generate(self, request: Request[Any], sink: Sink | None = None) -> Completion[Any]:
        self.journal.append("backend")
        if sink is not None:
            await sink(Delta(kind="text", text="piece"))
        return Completion(message=AssistantMessage("done"))

    async def aclose(self) -> None:
        self.journal.append("backend closed")


async def test_the_first_layer_is_the_outermost() -> None:
    """A call passes them in the order in which they were given, and back."""
    journal: list[str] = []
    backend = stack(End(journal), Traced("a", journal), Traced("b", journal))
    assert (await backend.generate(Request("x"))).text == "done"
    assert journal == ["a in", "b in", "backend", "b out", "a out"]


async def test_a_stack_is_a_backend_and_stacks_nest() -> None:
    """Also without any layer."""
    journal: list[str] = []
    inner = stack(End(journal), Traced("inner", journal))
    outer = stack(inner, Traced("outer", journal))
    assert isinstance(outer, Backend)
    await outer.generate(Request("x"))
    assert journal == ["outer in", "inner in", "backend", "inner out", "outer out"]
    assert (await stack(End()).generate(Request("x"))).text == "done"


async def test_the_request_and_the_sink_are_handed_on_as_they_are() -> None:
    """Nothing is copied on the way."""
    read: list[str] = []

    async def sink(delta: Delta) -> None:
        read.append(delta.text)

    await stack(End(), Wrapper(), Wrapper()).generate(Request("x"), sink)
    assert read == ["piece"]


def test_capabilities_are_reported_from_the_inside_out() -> None:
    """Each layer sees what its inside says, and the outermost has the last word."""

    class WithoutSchema(Wrapper):
        def capabilities(self, inner: Capabilities) -> Capabilities:
            assert inner.structured == ("json_schema",)
            return replace(inner, structured=("json_object",))

    class WithTools(Wrapper):
        def capabilities(self, inner: Capabilities) -> Capabilities:
            assert inner.structured == ("json_object",)
            return replace(inner, tools="yes")

    backend = stack(End(), WithTools(), WithoutSchema(), Wrapper())
    assert backend.capabilities == Capabilities(structured=("json_object",), tools="yes")


async def test_closing_goes_from_the_outside_in() -> None:
    """The backend is the last, and leaving the block closes."""
    journal: list[str] = []
    async with stack(End(journal), Traced("a", journal), Traced("b", journal)):
        pass
    assert journal == ["a closed", "b closed", "backend closed"]


async def test_one_that_fails_to_close_keeps_no_other_from_it() -> None:
    """All are closed; the failures come out, the earlier ones as context."""
    journal: list[str] = []
    first, second = KeyError("a"), ValueError("b")
    backend = stack(
        End(journal), Traced("a", journal, closing=first), Traced("b", journal, closing=second)
    )
    with pytest.raises(ValueError, match="b") as caught:
        await backend.aclose()
    assert caught.value.__context__ is first
    assert journal == ["a closed", "b closed", "backend closed"]


async def test_a_stack_pickles_with_its_settings() -> None:
    """A worker gets the same layers, empty."""
    backend = stack(End(), Deadline(7), Retry(5), ConcurrencyLimit(3))
    copy = pickle.loads(pickle.dumps(backend))
    deadline, retry, limit = copy.middleware
    assert (deadline.timeout, retry.limits.max_retries, limit.limit) == (7, 5, 3)
    assert (await copy.generate(Request("x"))).text == "done"


def test_the_repr_shows_the_onion() -> None:
    """Outermost first."""
    assert repr(stack(End(), Deadline(), Retry())).startswith("<Stack Deadline > Retry > ")
