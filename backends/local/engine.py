"""Engine: a model, the thread that owns it, and the way of a request there and back."""

import weakref
from functools import partial
from typing import Any

from anyio.lowlevel import checkpoint_if_cancelled

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import CapabilityError
from callboard.backends.local.drawing import refuse_unknown
from callboard.backends.local.extra import load_transformers
from callboard.backends.local.generation import LocalJob, complete
from callboard.backends.local.loading import to_dtype
from callboard.backends.local.model import CausalModel, LocalModel, read_capabilities
from callboard.backends.local.prompt import offered_tools
from callboard.backends.local.wake import current_wake
from callboard.backends.local.worker import Worker
from callboard.backends.request import Request


class Engine:
    """What LocalBackend is a face of; see there for the guarantees and the arguments."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        device: Any,
        dtype: Any,
        name: str | None,
        max_tokens: int,
    ) -> None:
        load_transformers()
        if max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {max_tokens}")
        self.capabilities: Capabilities = read_capabilities(tokenizer)
        _move(model, device, dtype)
        self.name: str = name or model.config.name_or_path or type(model).__name__
        self._local = LocalModel(
            model=model, tokenizer=tokenizer, name=self.name, max_tokens=max_tokens
        )
        self._worker = Worker(name=f"callboard-local-{self.name}")
        # A forgotten backend takes its thread along; at exit the worker sees to that itself.
        weakref.finalize(self, self._worker.stop).atexit = False

    async def generate(self, request: Request[Any], sink: Sink | None) -> Completion[Any]:
        """Send one request to the thread, and see it through.

        Raises:
            BackendError: The call failed.
        """
        self._refuse_impossible(request)
        await checkpoint_if_cancelled()
        work = partial(complete, self._local, request, watched=sink is not None)
        job = LocalJob(work, current_wake())
        self._worker.submit(job)
        return await job.wait(sink or _ignore)

    async def aclose(self) -> None:
        """Fail the calls that run or wait, and end the thread."""
        await self._worker.aclose()

    def _refuse_impossible(self, request: Request[Any]) -> None:
        refuse_unknown(request.sampling)
        if request.response_format is not None:
            raise CapabilityError(
                "the in-process model can't be held to a response format: leave it to the "
                "StructuredOutput middleware, which asks in words"
            )
        if offered_tools(request) and self.capabilities.tools == "no":
            raise CapabilityError(
                f"the chat template of {self.name} has no place for tools: leave them out, or use "
                "a model that was trained with tools"
            )


def _move(model: CausalModel, device: Any, dtype: Any) -> None:
    if device is not None:
        model.to(device)
    if dtype is not None:
        model.to(to_dtype(dtype))


async def _ignore(_: Delta) -> None:
    """Watch nothing."""
