"""Reads a streamed answer chunk by chunk: deltas as it arrives, the whole completion at its end."""

from collections.abc import Sequence
from typing import Any

from callboard.backends.classify import error_in_answer
from callboard.backends.completion import Completion, Step
from callboard.backends.delta import Delta, DeltaKind
from callboard.backends.errors import BackendProtocolError, ConnectionFailedError
from callboard.backends.messages import AssistantMessage, ChatMessage
from callboard.backends.wire.assistant_reading import read_reasoning, read_text
from callboard.backends.wire.completion_reading import completion_of
from callboard.backends.wire.finish_reading import finish_reason
from callboard.backends.wire.foreign import field, items, plain, text
from callboard.backends.wire.token_reading import token_record
from callboard.backends.wire.tool_call_pieces import ToolCallPieces
from callboard.backends.wire.usage_reading import NO_USAGE, read_usage


class StreamedAnswer:
    """An answer that is still arriving. A whole answer is read as if it were one large chunk.

    Only the first choice is read. Usage may come in any chunk; the last one counts.
    """

    def __init__(self) -> None:
        self._texts: dict[DeltaKind, list[str]] = {"text": [], "reasoning": [], "refusal": []}
        self._calls = ToolCallPieces()
        self._usage = NO_USAGE
        self._id: str | None = None
        self._model: str | None = None
        self._finish: str | None = None
        self._logprobs: list[Any] = []
        self._prompt_ids: Any = None
        self._token_ids: list[Any] = []
        self._heard = False

    def add(self, chunk: Any) -> list[Delta]:
        """Take one chunk, a dict or an SDK object; return the deltas in it.

        Raises:
            BackendError: If the chunk is an error.
        """
        choices = items(field(chunk, "choices"))
        if not choices and (error := error_in_answer(chunk)) is not None:
            raise error
        self._read_envelope(chunk)
        for choice in choices:
            if choice is not None and not field(choice, "index"):
                return self._read_choice(choice)
        return []

    def completion(
        self, *, messages: tuple[ChatMessage, ...], model: str, ended: bool = True
    ) -> Completion[Any]:
        """Return the whole answer, once there are no more chunks.

        Args:
            messages: What was sent, for the completion's one step.
            model: What was asked, for servers that do not say who answered.
            ended: Whether the stream came to its proper end. Without that, an answer which has
                no finish reason is one that broke off.

        Raises:
            BackendProtocolError: If no chunk had a choice in it.
            ConnectionFailedError: If the answer broke off.
        """
        if not self._heard:
            raise BackendProtocolError(
                "the stream ended without an answer: no chunk had a choice in it; if that does not "
                "pass, check the server's log, and whether it can stream at all"
            )
        if not ended and self._finish is None:
            raise ConnectionFailedError(
                "the stream ended before the answer did: no finish reason came and no [DONE]; try "
                "again"
            )
        return completion_of(
            self._step(messages, model),
            finish_raw=self._finish,
            logprobs={"content": self._logprobs} if self._logprobs else None,
            raw=None,
        )

    def _step(self, messages: tuple[ChatMessage, ...], model: str) -> Step:
        calls = self._calls.finished(self._id)
        return Step(
            messages=messages,
            message=AssistantMessage(
                self._joined("text"), calls, self._joined("reasoning"), self._joined("refusal")
            ),
            finish_reason=finish_reason(self._finish, called=bool(calls)),
            usage=self._usage,
            model=self._model or model,
            id=self._id,
            tokens=token_record(self._prompt_ids, self._token_ids, self._logprobs),
        )

    def _joined(self, kind: DeltaKind) -> str | None:
        return "".join(self._texts[kind]) or None

    def _read_envelope(self, chunk: Any) -> None:
        if self._id is None:
            self._id = text(field(chunk, "id")) or None
        if self._model is None:
            self._model = text(field(chunk, "model")) or None
        usage = field(chunk, "usage")
        if usage is not None:
            self._usage = read_usage(usage)
        if self._prompt_ids is None:
            self._prompt_ids = field(chunk, "prompt_token_ids")

    def _read_choice(self, choice: Any) -> list[Delta]:
        self._heard = True
        finish = text(field(choice, "finish_reason"))
        if finish:
            self._finish = finish
        self._read_tokens(choice)
        said = field(choice, "delta")
        if said is None:
            said = field(choice, "message")
        return self._read_said(said)

    def _read_tokens(self, choice: Any) -> None:
        logprobs = field(choice, "logprobs")
        if logprobs is not None:
            self._logprobs.extend(map(plain, items(field(logprobs, "content"))))
        ids: Sequence[Any] = items(field(choice, "token_ids"))
        if ids:
            self._token_ids.extend(ids)

    def _read_said(self, said: Any) -> list[Delta]:
        if said is None:
            return []
        deltas: list[Delta] = []
        self._say(deltas, "reasoning", read_reasoning(said))
        self._say(deltas, "text", read_text(field(said, "content")))
        self._say(deltas, "refusal", text(field(said, "refusal")))
        calls = items(field(said, "tool_calls"))
        if calls:
            deltas.extend(map(self._calls.add, calls))
        elif (function := field(said, "function_call")) is not None:
            deltas.append(self._calls.add({"index": 0, "function": function}))
        return deltas

    def _say(self, deltas: list[Delta], kind: DeltaKind, words: str | None) -> None:
        if words:
            self._texts[kind].append(words)
            deltas.append(Delta(kind=kind, text=words))
