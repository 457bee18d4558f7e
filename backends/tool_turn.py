"""What to do after a turn of the tool loop: a decision without I/O.

`middleware/tools.py` carries it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from callboard.backends.completion import Completion
from callboard.backends.errors import ToolError
from callboard.backends.messages import ToolCall, ToolMessage
from callboard.backends.request import Request
from callboard.backends.tool import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolMove:
    """What comes after a completion."""

    kind: Literal["finish", "hand_back", "execute"]
    """`finish`: it is the answer. `hand_back`: the caller runs its calls. `execute`: we do."""
    calls: tuple[ToolCall, ...] = ()


def next_move(
    completion: Completion[Any], tools: Mapping[str, Tool], rounds: int, max_rounds: int
) -> ToolMove:
    """Decide what comes after a completion.

    A turn that calls any external tool goes back whole: half of its calls executed here, and half
    elsewhere, would leave neither side with a conversation that can go on.

    Args:
        completion: What the model said.
        tools: The tools of the request, by name.
        rounds: Turns executed so far.
        max_rounds: Turns that may be executed.

    Raises:
        ToolError: If the model wants one turn more than it may have.
    """
    calls = completion.message.tool_calls
    if not calls:
        return ToolMove(kind="finish")
    if any(call.name in tools and tools[call.name].function is None for call in calls):
        return ToolMove(kind="hand_back", calls=calls)
    if rounds >= max_rounds:
        wanted = ", ".join(call.name for call in calls)
        raise ToolError(
            f"the model still calls tools ({wanted}) after {rounds} rounds, which is all that "
            f"Tools(max_rounds={max_rounds}) allows: allow more, or tell the model when to stop"
        )
    return ToolMove(kind="execute", calls=calls)


def resumed(
    request: Request[Any], completion: Completion[Any], results: Sequence[str]
) -> Request[Any]:
    """Return the next turn's request: the calls and their results added to the conversation.

    A tool that was required has now been called; asked to call it again and again, no model could
    ever answer. So `tool_choice` is left to the model from here on.

    Args:
        request: What was asked.
        completion: What the model said.
        results: One for each call, in the order of the calls.
    """
    calls = completion.message.tool_calls
    answers = [ToolMessage(text, call.id) for call, text in zip(calls, results, strict=True)]
    messages = (*request.messages, completion.message, *answers)
    forced = request.tool_choice not in (None, "auto", "none")
    return request.replaced(
        messages=messages, tool_choice="auto" if forced else request.tool_choice
    )


def unknown_tool(name: str, tools: Mapping[str, Tool]) -> str:
    """Say to a model that a tool does not exist."""
    return f"error: there is no tool {name!r}; the tools are {', '.join(tools)}"


def bad_arguments(name: str, problems: Sequence[str], *, cut_off: bool) -> str:
    """Say to a model what is wrong with the arguments that it passed.

    Args:
        name: The tool's name.
        problems: What is wrong, one sentence each.
        cut_off: Whether the token limit ended the turn, so that shorter ones may fit.
    """
    told = "\n".join(f"- {problem}" for problem in problems)
    advice = (
        "The call was cut off at the token limit: pass less"
        if cut_off
        else "Call it again with arguments that fit its schema"
    )
    return f"error: {name!r} was not called, its arguments are not valid:\n{told}\n{advice}."
