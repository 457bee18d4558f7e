"""Sampler: draws one token from the logits of a step, and says how likely the model found it.

Each call has a generator of its own, so that neither other calls nor a trainer in the same process
change what a seed draws, and this backend never touches torch's global generator. One uniform
number per token goes through the inverse of the cumulative distribution. It is all done on the
CPU in 32 bits (the cumulative sum in 64), so that a seed means the same on every device.
"""

import math
from dataclasses import dataclass
from typing import Any

from callboard.backends.errors import BackendProtocolError
from callboard.backends.local.drawing import Drawing
from callboard.backends.local.extra import load_torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """A token and the model's own log-probability of it."""

    token: int
    logprob: float
    """Natural logarithm, before temperature, penalties and cuts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Likely):
    """The token that was drawn."""

    alternatives: tuple[Likely, ...] = ()
    """The likeliest tokens of the step, as many as were asked for."""


class Sampler:
    """Draws the tokens of one answer, in order.

    Args:
        drawing: How to draw.
        prompt_ids: What was seen before the answer began.
    """

    def __init__(self, drawing: Drawing, prompt_ids: tuple[int, ...]) -> None:
        self._torch = load_torch()
        self._drawing = drawing
        self._seen = self._torch.tensor(prompt_ids, dtype=self._torch.long)
        self._counts: Any = None
        self._generator = self._torch.Generator(device="cpu")
        if drawing.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(drawing.seed % 2**63)

    def draw(self, logits: Any) -> Drawn:
        """Draw the next token.

        Args:
            logits: A tensor [vocabulary] of any kind of float, on any device; left as it is.

        Raises:
            BackendProtocolError: If the logits are no numbers: the model has diverged.
        """
        logits = logits.detach().to("cpu", self._torch.float32)
        raw = logits.log_softmax(-1)
        token = self._pick(self._penalised(logits))
        logprob = float(raw[token])
        if math.isnan(logprob):
            raise BackendProtocolError(
                "the model's logits are not numbers (NaN or infinite): its weights have diverged, "
                "or its dtype is too narrow; try dtype='float32'",
                retryable=False,
            )
        self._counts[token] += 1
        return Drawn(token=token, logprob=logprob, alternatives=self._alternatives(raw))

    def _penalised(self, logits: Any) -> Any:
        if self._counts is None:
            self._counts = self._torch.zeros_like(logits)
        how = self._drawing
        scores = logits.clone()
        if how.repetition_penalty != 1.0:
            seen = self._torch.cat((self._seen, self._counts.nonzero()[:, 0])).unique()
            old = scores[seen]
            penalty = how.repetition_penalty
            scores[seen] = self._torch.where(old < 0, old * penalty, old / penalty)
        scores -= how.frequency_penalty * self._counts
        scores -= how.presence_penalty * (self._counts > 0)
        for token, bias in how.bias.items():
            scores[token] += bias
        return scores

    def _pick(self, scores: Any) -> int:
        if self._drawing.temperature == 0:
            return int(scores.argmax())
        # The best score goes to 0 first: no temperature, however small, then overflows.
        probabilities = ((scores - scores.max()) / self._drawing.temperature).softmax(-1)
        cumulative = self._cut(probabilities).double().cumsum(-1)
        uniform = self._torch.rand(1, generator=self._generator, dtype=self._torch.float64)
        # `right` skips tokens of probability 0, whose sum equals that of the token before them.
        place = self._torch.searchsorted(cumulative, uniform * cumulative[-1], right=True)
        return min(int(place), len(cumulative) - 1)

    def _cut(self, probabilities: Any) -> Any:
        how = self._drawing
        if 0 < how.top_k < len(probabilities):
            least = probabilities.topk(how.top_k).values[-1]
            probabilities = probabilities.where(probabilities >= least, 0.0)
        if how.top_p < 1:
            probabilities = probabilities / probabilities.sum()
            ordered = probabilities.sort(descending=True)
            before = ordered.values.cumsum(-1) - ordered.values
            kept = ordered.values.where(before < how.top_p, 0.0)
            kept[0] = ordered.values[0]
            probabilities = self._torch.zeros_like(kept).scatter_(-1, ordered.indices, kept)
        if how.min_p > 0:
            least = how.min_p * probabilities.max()
            probabilities = probabilities.where(probabilities >= least, 0.0)
        return probabilities

    def _alternatives(self, raw: Any) -> tuple[Likely, ...]:
        if not self._drawing.top_logprobs:
            return ()
        best = raw.topk(self._drawing.top_logprobs)
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return tuple(Likely(token=token, logprob=logprob) for token, logprob in pairs)
