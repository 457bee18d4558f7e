"""Logging: one event for each call, through structlog where the program uses it."""

import logging
from typing import Any, Protocol

import anyio

from callboard.ambient.event_log import EventLog
from callboard.ambient.redaction import redact
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.errors import BackendError
from callboard.backends.identity import Identity
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request

NAME = "callboard.backends"
"""The logger's name, for structlog and for the standard library."""

Fields = dict[str, Any]


class EventLogger(Protocol):
    """As much of a structlog logger as is needed."""

    def debug(self, event: str, **fields: Any) -> Any:
        """Log an event that people look for only when something is wrong."""
        ...

    def warning(self, event: str, **fields: Any) -> Any:
        """Log an event that people should see."""
        ...


class Logging(Wrapper):
    """Logs one event for each call: at debug if it went well, as a warning if it failed.

    An event names the backend, model, caller, duration, tokens and finish reason, or the error.
    Never a word of the messages, and nothing that looks like a key. A cancelled call is logged at
    debug. Without a logger of yours the events go to structlog once your program has configured
    it, and to the standard library's logger `callboard.backends` until then.

    Args:
        identity: The provider and the model that the events name.
        logger: Takes the events instead, for example `structlog.get_logger("models")`.
    """

    def __init__(
        self, identity: Identity | None = None, *, logger: EventLogger | None = None
    ) -> None:
        self.identity = identity or Identity(provider="unknown")
        """The provider and model that the events name."""
        self._given = logger
        self._log = EventLog(NAME)

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request, and log how it went."""
        began = anyio.current_time()
        try:
            completion = await call_next(request, sink)
        except Exception as error:
            fields = self._fields(request, began) | _failure_fields(error)
            self._logger().warning("model call failed", **fields)
            raise
        except BaseException:
            self._log_quietly("model call cancelled", request, began)
            raise
        self._log_quietly("model call", request, began, completion)
        return completion

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses process boundaries with its names, and then logs to where that process does."""
        return Logging, (self.identity,)

    def _logger(self) -> EventLogger:
        return self._log.logger if self._given is None else self._given

    def _log_quietly(
        self,
        event: str,
        request: Request[Any],
        began: float,
        completion: Completion[Any] | None = None,
    ) -> None:
        logger = self._logger()
        if not _hears_debug(logger):
            return
        answer = {} if completion is None else _answer_fields(completion)
        logger.debug(event, **self._fields(request, began), **answer)

    def _fields(self, request: Request[Any], began: float) -> Fields:
        fields: Fields = {
            "backend": self.identity.provider,
            "model": self.identity.model,
            "duration": round(anyio.current_time() - began, 6),
        }
        if (caller := request.metadata.get("caller")) is not None:
            fields["caller"] = redact(str(caller))
        return fields


def _hears_debug(logger: EventLogger) -> bool:
    enabled = getattr(logger, "is_enabled_for", None)
    return enabled is None or bool(enabled(logging.DEBUG))


def _answer_fields(completion: Completion[Any]) -> Fields:
    return {
        "finish_reason": completion.finish_reason,
        "input_tokens": completion.usage.input,
        "output_tokens": completion.usage.output,
        "model_calls": len(completion.steps) or 1,
    }


def _failure_fields(error: Exception) -> Fields:
    fields: Fields = {"error": type(error).__name__, "reason": redact(str(error))}
    if isinstance(error, BackendError):
        known = {"status": error.status, "request_id": error.request_id}
        fields |= {name: value for name, value in known.items() if value is not None}
    if notes := getattr(error, "__notes__", None):
        fields["notes"] = redact("; ".join(notes))
    return fields
