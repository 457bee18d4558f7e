"""Generation: one request from prompt to completion, on the model's thread.

transformers' `generate` runs the model. It runs greedily over logits in which a processor of ours
has left one token: the one that our sampler drew. So whatever architectures `generate` supports
work here, while seeds, log-probabilities, streaming and cancellation are ours.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias
from uuid import uuid4

from callboard.backends.completion import Completion, TokenRecord
from callboard.backends.delta import Delta
from callboard.backends.errors import BackendError, BadRequestError, ContextLengthError
from callboard.backends.local.answer import Answer
from callboard.backends.local.detokenizer import Detokenizer
from callboard.backends.local.drawing import read_drawing
from callboard.backends.local.extra import load_torch, load_transformers
from callboard.backends.local.job import Job, JobCancelledError
from callboard.backends.local.logprobs import write_logprobs
from callboard.backends.local.markup import THINK, Markup
from callboard.backends.local.model import CausalModel, LocalModel
from callboard.backends.local.prompt import Prompt, offered_tools, render_prompt
from callboard.backends.local.sampler import Sampler
from callboard.backends.local.stop_strings import StopStrings
from callboard.backends.messages import AssistantMessage
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.usage import Usage

LocalJob: TypeAlias = Job[Delta, Completion[Any]]


def complete(
    local: LocalModel, request: Request[Any], job: LocalJob, *, watched: bool
) -> Completion[Any]:
    """Answer one request.

    Args:
        local: The model.
        request: What to ask.
        job: Looked at before every step, so that a cancelled call ends there.
        watched: Whether to send the answer's pieces while it grows.

    Raises:
        BackendError: The request is not possible, or the model failed.
        JobCancelledError: Nobody waits for the answer any more.
    """
    try:
        return _complete(local, request, job, job.emit if watched else None)
    except (BackendError, JobCancelledError):
        raise
    except Exception as error:
        raise BackendError(f"the model failed: {type(error).__name__}: {error}") from error


def room_for_answer(sampling: SamplingParams, local: LocalModel, prompt_tokens: int) -> int:
    """Return how many tokens the answer may have.

    Raises:
        BadRequestError: If the request leaves none.
        ContextLengthError: If prompt and answer do not fit the model.
    """
    named = sampling.max_completion_tokens
    wanted = sampling.max_tokens if named is None else named
    if wanted is not None and wanted < 1:
        raise BadRequestError(f"max_tokens must be at least 1, got {wanted}")
    if local.positions is None:
        return wanted or local.max_tokens
    room = local.positions - prompt_tokens
    if room < (wanted or 1):
        raise ContextLengthError(
            f"the prompt has {prompt_tokens} tokens and its answer {wanted or 'at least 1'}, and "
            f"{local.name} has room for {local.positions} together: shorten the conversation"
            + (" or lower max_tokens" if wanted else "")
        )
    return wanted or min(local.max_tokens, room)


def _complete(
    local: LocalModel, request: Request[Any], job: LocalJob, tell: Callable[[Delta], None] | None
) -> Completion[Any]:
    sampling = request.sampling
    prompt = render_prompt(local.tokenizer, request)
    limit = room_for_answer(sampling, local, len(prompt.ids))
    drawing = read_drawing(sampling, local.defaults, local.vocabulary)
    answer = _begin(local, request, prompt, tell)
    steps = _Steps(answer, Sampler(drawing, prompt.ids), job.check)
    job.check()
    with _evaluating(local.model):
        _generate(local, prompt, limit, steps)
    return _end(local, request, prompt, answer)


def _begin(
    local: LocalModel, request: Request[Any], prompt: Prompt, tell: Callable[[Delta], None] | None
) -> Answer:
    earlier = [m for m in request.messages if isinstance(m, AssistantMessage)]
    markup = Markup(
        thinking=local.thinks,
        calling=bool(offered_tools(request)),
        inside=prompt.text.rstrip().endswith(THINK),
    )
    return Answer(
        Detokenizer(local.decode, local.hidden_ids | local.end_ids),
        StopStrings(request.sampling.stop or ()),
        markup,
        end_ids=local.end_ids,
        first_call=sum(len(message.tool_calls) for message in earlier),
        tell=tell,
    )


def _end(
    local: LocalModel, request: Request[Any], prompt: Prompt, answer: Answer
) -> Completion[Any]:
    message = answer.close()
    reason = answer.finish_reason
    return Completion(
        message=message,
        finish_reason=reason,
        finish_raw=reason,
        usage=Usage(
            input=len(prompt.ids), output=len(answer.drawn), reasoning=answer.reasoning_tokens
        ),
        logprobs=write_logprobs(answer.drawn, local.decode) if request.sampling.logprobs else None,
        tokens=TokenRecord(
            prompt_ids=prompt.ids,
            completion_ids=tuple(drawn.token for drawn in answer.drawn),
            logprobs=tuple(drawn.logprob for drawn in answer.drawn),
            logprob_semantics="raw",
        ),
        model=local.name,
        id=f"local-{uuid4().hex}",
    )


class _Steps:
    """Stands in `generate` as its last logits processor, and as a stopping criterion."""

    def __init__(self, answer: Answer, sampler: Sampler, check: Callable[[], None]) -> None:
        self._answer = answer
        self._sampler = sampler
        self._check = check
        self._torch = load_torch()

    def __call__(self, _input_ids: Any, scores: Any) -> Any:
        """Draw the token of this step, and leave no other."""
        self._check()
        drawn = self._sampler.draw(scores[0])
        self._answer.take(drawn)
        only = self._torch.full_like(scores, -float("inf"))
        only[0, drawn.token] = 0.0
        return only

    def ended(self, input_ids: Any, _scores: Any, **_options: Any) -> Any:
        """Say whether the one sequence of the batch is at its end."""
        return self._torch.tensor([self._answer.ended], device=input_ids.device)


def _generate(local: LocalModel, prompt: Prompt, limit: int, steps: _Steps) -> None:
    torch, transformers = load_torch(), load_transformers()
    ids = torch.tensor([prompt.ids], device=local.model.device)
    local.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        # Neutral where the sampler does the work; what is not named is the model's own affair.
        generation_config=transformers.GenerationConfig(
            **_length(local, prompt, limit),
            do_sample=False,
            num_beams=1,
            num_return_sequences=1,
            temperature=1.0,
            top_p=1.0,
            top_k=50,
            repetition_penalty=1.0,
            eos_token_id=sorted(local.end_ids) or None,
            pad_token_id=local.pad_id,
        ),
        logits_processor=transformers.LogitsProcessorList([steps]),
        stopping_criteria=transformers.StoppingCriteriaList([steps.ended]),
    )


def _length(local: LocalModel, prompt: Prompt, limit: int) -> dict[str, int]:
    # In the word that the model's own configuration uses: with both, transformers complains.
    if "max_length" in local.defaults:
        return {"max_length": len(prompt.ids) + limit}
    return {"max_new_tokens": limit}


@contextmanager
def _evaluating(model: CausalModel) -> Generator[None]:
    # A trainer that shares the model may have left it in training mode, dropout and all.
    training = model.training
    if training:
        model.train(False)
    try:
        yield
    finally:
        if training:
            model.train()
