"""A model in this process, made on the spot: random, tiny, and with everything a real one has.

With weights of your own it is one line: LocalBackend.from_path("path/to/model").
"""

import sys

import anyio

from callboard.backends import Delta, LocalBackend, Request, SamplingParams, stream

try:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
except ImportError:
    sys.exit("this example needs the extra `local`: pip install 'callboard[local]'")

CHATML = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}<|im_start|>assistant
"""


def make_backend() -> LocalBackend:
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(["the quick brown fox jumps over the lazy dog"], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|im_end|>")
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=4, **small)
    return LocalBackend(LlamaForCausalLM(config), tokenizer, model_name="tiny")


async def main() -> None:
    request = Request("Who jumps?", sampling=SamplingParams(seed=7, max_tokens=12))
    async with make_backend() as backend, stream(backend, request) as deltas:
        pieces: list[Delta] = [delta async for delta in deltas]
        print("pieces:  ", [piece.text for piece in pieces])
        completion = deltas.completion
        again = await backend.generate(request)
        assert completion.tokens is not None
        print("tokens:  ", completion.tokens.completion_ids)
        print("logprobs:", [round(logprob, 2) for logprob in completion.tokens.logprobs or ()])
        print("same seed, same answer:", again.text == completion.text)


anyio.run(main)
