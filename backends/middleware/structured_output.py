"""StructuredOutput: answers of the type that the request asks for, valid or an error."""

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from callboard.backends.backend import Generate
from callboard.backends.capabilities import Capabilities, StructuredMode
from callboard.backends.completion import Completion, Step
from callboard.backends.delta import Sink
from callboard.backends.errors import BackendError, StructuredOutputError
from callboard.backends.middleware.base import Wrapper
from callboard.backends.onward import capabilities_of
from callboard.backends.output.output_type import OutputType, output_type
from callboard.backends.request import Request
from callboard.backends.step_sink import StepSink
from callboard.backends.steps import steps_of, totalled, with_parsed
from callboard.backends.structured_mode import (
    Verdict,
    framed,
    judged,
    open_modes,
    refused_form,
    repair_turn,
)


class StructuredOutput(Wrapper):
    """Makes the answer an instance of `request.output`, in `Completion.parsed`.

    The type's schema is sent in the first mode that the backend declares: enforced by the server
    (`json_schema`), as JSON mode with the schema in the prompt (`json_object`), or in words alone
    (`prompt`). Where the server refuses the form, the next mode is tried, and that is remembered
    for this stack. Every answer is validated here, whoever promised what. One that does not fit is
    shown to the model with what is wrong, `repairs` times at most; each repair is a new step, and
    usage is summed. Requests without an output type pass through, and so do completions with tool
    calls: they are no answer yet.

    Args:
        repairs: Further tries after an invalid answer.
        modes: The modes to try, in this order, whatever the backend declares; None leaves the
            choice to its capabilities.

    Raises:
        ValueError: If `repairs` is negative or `modes` is empty.
    """

    def __init__(self, repairs: int = 1, modes: tuple[StructuredMode, ...] | None = None) -> None:
        if repairs < 0 or modes == ():
            raise ValueError(
                f"repairs must be 0 or more and modes name at least one, got {repairs=}, {modes=}"
            )
        self.repairs = repairs
        self.modes = modes
        self._refusals: WeakKeyDictionary[Generate, _Refusals] = WeakKeyDictionary()

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request with a valid `parsed`.

        Raises:
            StructuredOutputError: If no answer fits the type, repairs included.
            RefusalError: If the model declined.
            TruncatedError: If the answer hit its token limit.
            ContentFilterError: If a filter cut it off.
            CapabilityError: If the backend takes none of the modes.
            TypeError: If the output type can't be described or validated.
        """
        if request.output is None:
            return await call_next(request, sink)
        return await self._answer(request, sink, call_next)

    def capabilities(self, inner: Capabilities) -> Capabilities:
        """Report the modes that are tried here."""
        return inner if self.modes is None else replace(inner, structured=self.modes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses process boundaries without what it has learned of the backend."""
        return _rebuild, (type(self), self.repairs, self.modes)

    async def _answer(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        output = output_type(request.output)
        steps = None if sink is None else StepSink(sink)
        past: tuple[Step, ...] = ()
        turn = await self._take_turn(request, output, steps, call_next)
        for _ in range(self.repairs):
            if turn.verdict.kind != "invalid":
                break
            past = (*past, *steps_of(turn.sent, turn.completion))
            request = request.extended(*repair_turn(turn.completion, turn.verdict.problems))
            if steps is not None:
                await steps.begin_step()
            turn = await self._take_turn(request, output, steps, call_next)
        return _concluded(turn, past, output)

    async def _take_turn(
        self, request: Request[Any], output: OutputType, sink: Sink | None, call_next: Generate
    ) -> "_Turn":
        """Ask in the first mode that is not refused, and judge what comes back."""
        declared = self.modes or capabilities_of(call_next).structured
        modes = open_modes(declared, self._refused(call_next, output))
        for mode in modes:
            sent = framed(request, output, mode)
            try:
                completion = await call_next(sent, sink)
            except BackendError as error:
                refused = refused_form(error) if sent.response_format is not None else None
                if refused is None or mode == modes[-1]:
                    raise
                self._remember(call_next, output, mode, whole_mode=refused == "mode")
            else:
                verdict = judged(completion, output, mode)
                return _Turn(sent=sent, completion=completion, verdict=verdict)
        raise AssertionError("open_modes returns at least one mode, and the last one raises")

    def _refused(self, call_next: Generate, output: OutputType) -> set[StructuredMode]:
        known = self._refusals.get(call_next) if self._refusals else None
        if known is None:
            return set()
        unfit: set[StructuredMode] = {"json_schema"} if output in known.schemas else set()
        return known.modes | unfit

    def _remember(
        self, call_next: Generate, output: OutputType, mode: StructuredMode, *, whole_mode: bool
    ) -> None:
        known = self._refusals.setdefault(call_next, _Refusals())
        if whole_mode or mode != "json_schema":
            known.modes.add(mode)
        else:
            known.schemas.add(output)


class _Refusals:
    """What one backend has turned down."""

    def __init__(self) -> None:
        self.modes: set[StructuredMode] = set()
        self.schemas: WeakSet[OutputType] = WeakSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One call, and what its answer is worth."""

    sent: Request[Any]
    completion: Completion[Any]
    verdict: Verdict


def _concluded(turn: _Turn, past: tuple[Step, ...], output: OutputType) -> Completion[Any]:
    completion, verdict = turn.completion, turn.verdict
    if verdict.kind == "invalid":
        raise StructuredOutputError(
            f"the answer is no valid {output.name}, after {_times(len(past))}: "
            f"{'; '.join(verdict.problems)}. Loosen the type, ask a stronger model, or allow more "
            "repairs with StructuredOutput(repairs=...)",
            problems=verdict.problems,
            body=completion.text,
        )
    if past:
        completion = totalled(completion, (*past, *steps_of(turn.sent, completion)))
    if verdict.kind == "tool_calls":
        return completion
    return with_parsed(completion, verdict.value)


def _times(repairs: int) -> str:
    return "1 repair" if repairs == 1 else f"{repairs} repairs"


def _rebuild(
    cls: type[StructuredOutput], repairs: int, modes: tuple[StructuredMode, ...] | None
) -> StructuredOutput:
    return cls(repairs, modes)
