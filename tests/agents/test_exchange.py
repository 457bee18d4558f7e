"""Exchanges: where a history may be cut, and what a run adds to it."""

from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.exchange import split, unanswered, window_of
from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)


@st.composite
def exchanges(draw: st.DrawFn) -> list[ChatMessage]:
    """Draw one exchange: the user's words, tool turns, an answer."""
    messages: list[ChatMessage] = [UserMessage("u")] * draw(st.integers(1, 2))
    for turn in range(draw(st.integers(0, 2))):
        ids = [f"{turn}-{index}" for index in range(draw(st.integers(1, 3)))]
        calls = tuple(ToolCall(id=name, name="f", arguments="{}") for name in ids)
        messages += [AssistantMessage(None, calls), *(ToolMessage("r", name) for name in ids)]
    return [*messages, AssistantMessage("a")]


histories = st.lists(exchanges(), max_size=6)
heads = st.lists(st.just(SystemMessage("s")), max_size=2)


@given(histories)
def test_split_finds_the_exchanges(drawn: list[list[ChatMessage]]) -> None:
    """A history is cut where the user speaks, and nowhere else."""
    history = [message for exchange in drawn for message in exchange]
    assert [list(exchange) for exchange in split(history)] == drawn


@given(heads, histories, st.integers(1, 7))
def test_a_window_keeps_whole_exchanges(
    head: list[ChatMessage], drawn: list[list[ChatMessage]], size: int
) -> None:
    """The last exchanges are kept whole, after the system messages that head the history."""
    history = [*head, *(message for exchange in drawn for message in exchange)]
    kept = [message for exchange in drawn[-size:] for message in exchange]
    assert window_of(history, size) == (*head, *kept)
    assert window_of(history, None) == tuple(history)


@given(heads, histories, st.integers(1, 7))
def test_a_window_never_parts_a_call_from_its_result(
    head: list[ChatMessage], drawn: list[list[ChatMessage]], size: int
) -> None:
    """Every tool message in a window follows the call that it answers."""
    history = [*head, *(message for exchange in drawn for message in exchange)]
    called: set[str] = set()
    for message in window_of(history, size):
        if isinstance(message, AssistantMessage):
            called = {call.id for call in message.tool_calls} or called
        if isinstance(message, ToolMessage):
            assert message.tool_call_id in called


def test_calls_without_result_are_found() -> None:
    """Only the last assistant message can wait for results."""
    call = ToolCall(id="t1", name="f", arguments="{}")
    waiting = [UserMessage("u"), AssistantMessage(None, (call,))]
    assert unanswered(waiting) == ("t1",)
    assert unanswered([*waiting, ToolMessage("r", "t1")]) == ()
    assert unanswered([*waiting, ToolMessage("r", "t1"), AssistantMessage("a")]) == ()
    assert unanswered([]) == ()
