"""The decisions of the tool loop, as a table."""

import pytest

from callboard.backends import AssistantMessage, Completion, Request, Tool, ToolCall, ToolError
from callboard.backends.tool_turn import next_move, resumed

TOOLS = {
    "own": Tool(name="own", parameters={}, function=len),
    "external": Tool(name="external", parameters={}),
}


def completion(*names: str) -> Completion:
    """Make a completion that calls tools of these names."""
    made = tuple(ToolCall(id=str(n), name=name, arguments="") for n, name in enumerate(names))
    return Completion(message=AssistantMessage(None, made))


@pytest.mark.parametrize(
    ("names", "rounds", "kind"),
    [
        ((), 0, "finish"),
        ((), 9, "finish"),
        (("own",), 0, "execute"),
        (("own", "own"), 1, "execute"),
        (("ghost",), 1, "execute"),
        (("external",), 0, "hand_back"),
        (("own", "external"), 0, "hand_back"),
        (("external",), 9, "hand_back"),
    ],
)
def test_what_comes_next(names: tuple[str, ...], rounds: int, kind: str) -> None:
    """An unknown tool is executed too: the model is told that there is none."""
    move = next_move(completion(*names), TOOLS, rounds, max_rounds=2)
    assert move.kind == kind
    assert [call.name for call in move.calls] == list(names)


@pytest.mark.parametrize(("rounds", "limit"), [(2, 2), (0, 0), (3, 2)])
def test_one_round_too_many(rounds: int, limit: int) -> None:
    """It names the tools and the limit."""
    with pytest.raises(ToolError, match=rf"own.*max_rounds={limit}"):
        next_move(completion("own"), TOOLS, rounds, max_rounds=limit)


@pytest.mark.parametrize(
    ("choice", "then"),
    [(None, None), ("auto", "auto"), ("none", "none"), ("required", "auto"), ("own", "auto")],
)
def test_a_forced_choice_is_forced_once(choice: str | None, then: str | None) -> None:
    """The results follow the calls, in their order."""
    request = Request("go", tools=TOOLS.values(), tool_choice=choice)
    turn = completion("own", "ghost")
    following = resumed(request, turn, ["a", "b"])
    assert following.tool_choice == then
    assert following.messages[:2] == (*request.messages, turn.message)
    told = [(message.tool_call_id, message.content) for message in following.messages[2:]]  # type: ignore[union-attr]  # tool messages
    assert told == [("0", "a"), ("1", "b")]
