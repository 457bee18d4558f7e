"""LocalModel: a transformers model with its tokenizer, and what can be read off them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from callboard.backends.capabilities import Capabilities, Support
from callboard.backends.errors import CapabilityError
from callboard.backends.local.markup import CALL, TAGS, THINK, THINK_END


class CausalModel(Protocol):
    """What is used of a transformers causal language model."""

    config: Any
    generation_config: Any
    training: bool

    @property
    def device(self) -> Any:
        """Where its inputs must be."""
        ...

    def generate(self, **options: Any) -> Any:
        """Continue a sequence of tokens."""
        ...

    def train(self, mode: bool = True) -> Any:
        """Switch dropout and the like on or off."""
        ...

    def to(self, *where: Any) -> Any:
        """Move to a device or a dtype."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A model and its tokenizer. Everything here is read on the model's thread alone."""

    model: CausalModel
    tokenizer: Any
    name: str
    max_tokens: int
    """Tokens of an answer where the request does not say."""

    @property
    def positions(self) -> int | None:
        """How many tokens prompt and answer may have together; None if the model does not say."""
        return getattr(_text_config(self.model.config), "max_position_embeddings", None)

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return int(_text_config(self.model.config).vocab_size)

    @property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end an answer."""
        named: Any = self.model.generation_config.eos_token_id
        several = cast("Sequence[Any]", named if isinstance(named, list | tuple) else (named,))
        ids = (*several, self.tokenizer.eos_token_id)
        return frozenset(int(token) for token in ids if token is not None)

    @property
    def pad_id(self) -> int:
        """What `generate` calls the padding; with one sequence there is none."""
        named = self.tokenizer.pad_token_id
        return int(next(iter(self.end_ids), 0) if named is None else named)

    @property
    def defaults(self) -> Mapping[str, Any]:
        """What the model's generation configuration sets, library defaults left out."""
        found: dict[str, Any] = self.model.generation_config.to_diff_dict()
        return found

    @property
    def hidden_ids(self) -> frozenset[int]:
        """The special tokens that leave no trace in an answer's text."""
        added: Mapping[int, Any] = self.tokenizer.added_tokens_decoder
        told = {token for token, entry in added.items() if entry.content in TAGS}
        special = {token for token, entry in added.items() if entry.special}
        return frozenset(special.union(self.tokenizer.all_special_ids) - told)

    @property
    def thinks(self) -> bool:
        """Whether the tokenizer has a tag for reasoning."""
        added: Mapping[str, int] = self.tokenizer.get_added_vocab()
        return THINK in added and THINK_END in added

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of these tokens as it is."""
        text: str = self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return text


def read_capabilities(tokenizer: Any) -> Capabilities:
    """Say what a model with this tokenizer can do here.

    Raises:
        CapabilityError: If it has no chat template.
    """
    tools = _tools(_template(tokenizer))
    return Capabilities(
        structured=("prompt",),
        tools=tools,
        parallel_tools=tools,
        streaming="yes",
        vision="no",
        logprobs="yes",
        logprob_semantics="raw",
        token_ids="yes",
        token_input="no",
        n="no",
        seed="yes",
    )


def _template(tokenizer: Any) -> str:
    if not getattr(tokenizer, "chat_template", None):
        raise CapabilityError(
            "the tokenizer has no chat template, so there is no telling how a conversation is "
            "written for this model: use a model tuned for chat, or set tokenizer.chat_template"
        )
    template: str = tokenizer.get_chat_template(tools=[{}])
    return template


def _tools(template: str) -> Support:
    if "tools" not in template:
        return "no"
    return "yes" if CALL in template else "unknown"


def _text_config(config: Any) -> Any:
    reader = getattr(config, "get_text_config", None)
    return reader() if reader else config
