"""LocalBackend: a transformers causal language model in this process, behind the one interface."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.request import Request

T = TypeVar("T")

MAX_TOKENS = 1024
"""Tokens of an answer where neither the request nor the backend says, if the model has room."""


class LocalBackend:
    """A transformers causal language model in this process.

    One thread owns the model and serves one call after the other, in the order in which they came,
    from however many event loops. Streamed text is final: the pieces together are the answer. The
    same seed gives the same tokens on the same model. A cancelled call returns at once, and its
    thread is free after the step that it is at (the whole prompt counts as one step). A call's
    failure never touches another's. The model and the tokenizer belong to the thread while a call
    runs: who shares them with a trainer takes turns with it.

    A backend made by `from_path` pickles as its path and loads again where it arrives; one made
    from objects refuses. It does not survive a fork.
    """

    name: ClassVar[str] = "local"
    """What usage and traces are booked under."""
    in_process: ClassVar[bool] = True
    """Its spans are no client's: nothing leaves the process."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        device: Any = None,
        dtype: Any = None,
        model_name: str | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        """Serve a model that is loaded already.

        Args:
            model: A transformers causal language model, or anything with its `generate`.
            tokenizer: Its tokenizer, with a chat template.
            device: Moves the model, for example `"cuda"`; None leaves it where it is.
            dtype: Converts the model: a torch dtype or its name; None leaves it as it is.
            model_name: What completions and traces call the model; None takes its own name.
            max_tokens: Tokens of an answer where the request does not say.

        Raises:
            CapabilityError: If the tokenizer has no chat template.
            MissingExtraError: If torch or transformers is not installed.
            ValueError: If torch has no such dtype, or max_tokens is below 1.
        """
        # Late, so that importing callboard stays quick for those who never make one.
        from callboard.backends.local.engine import Engine  # noqa: PLC0415

        self._engine = Engine(
            model, tokenizer, device=device, dtype=dtype, name=model_name, max_tokens=max_tokens
        )
        self._origin: Callable[[], LocalBackend] | None = None

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        *,
        device: Any = None,
        dtype: Any = None,
        model_name: str | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> Self:
        """Load a model from a folder, here and now; nothing is ever downloaded.

        It takes seconds with a real model: in async code, call it in a thread.

        Args:
            path: What `save_pretrained` or `hf download --local-dir` wrote.
            device: None takes CUDA where there is one, else the CPU.
            dtype: A torch dtype or its name; None keeps the one that the model was saved in.
            model_name: What completions and traces call the model; None takes the folder's name.
            max_tokens: Tokens of an answer where the request does not say.

        Raises:
            NotFoundError: If there is no model in the folder.
            CapabilityError: If the tokenizer has no chat template.
            MissingExtraError: If torch or transformers is not installed.
            BackendError: If transformers can't read the folder.
        """
        from callboard.backends.local.loading import load_folder  # noqa: PLC0415 - late, too

        folder = Path(path)
        loaded = load_folder(folder, device=device, dtype=dtype)
        named = model_name or folder.resolve().name
        backend = cls(loaded.model, loaded.tokenizer, model_name=named, max_tokens=max_tokens)
        backend._origin = partial(
            cls.from_path,
            path,
            device=device,
            dtype=dtype,
            model_name=model_name,
            max_tokens=max_tokens,
        )
        return backend

    @property
    def model(self) -> str:
        """What completions and traces call the model."""
        return self._engine.name

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do; its tools are `unknown` where its template has its own form."""
        return self._engine.capabilities

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Answer one request; see `Backend.generate`.

        Args:
            request: What to ask.
            sink: Receives text, reasoning and whole tool calls; a slow one delays nobody else.

        Raises:
            BadRequestError: A sampling value is out of range, or the template refuses the messages.
            ContextLengthError: Prompt and answer do not fit the model.
            CapabilityError: The request wants what this backend can't do; nothing was run.
            BackendProtocolError: The model's logits are no numbers.
            EngineError: The backend is closed, its thread died, or this process is a fork.
            BackendError: The model failed; the cause is attached.
        """
        return await self._engine.generate(request, sink)

    async def aclose(self) -> None:
        """Fail the calls that run or wait, and end the thread. The model stays its owner's."""
        await self._engine.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._origin is None:
            raise TypeError(
                "a LocalBackend made from a model object can't be pickled: make it with "
                "LocalBackend.from_path, and it loads its folder again where it arrives"
            )
        return self._origin, ()

    def __repr__(self) -> str:
        return f"LocalBackend({self.model!r})"
