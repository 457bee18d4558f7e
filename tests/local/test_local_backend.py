"""A real model in the process: what it says, in which order, how likely, and how it ends."""

import pickle
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from callboard.backends.delta import Delta
from callboard.backends.errors import CapabilityError
from callboard.backends.identity import Identity, identify
from callboard.backends.local.backend import LocalBackend
from callboard.backends.local.errors import EngineError
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams

pytestmark = [pytest.mark.anyio, pytest.mark.local]


def ask(text: str = "hello", **sampling: Any) -> Request[None]:
    """Ask for ten tokens, unless told otherwise."""
    return Request(text, sampling=SamplingParams(**{"max_tokens": 10, **sampling}))


def engine_threads() -> list[threading.Thread]:
    """Find the threads that own a model."""
    return [t for t in threading.enumerate() if t.name.startswith("callboard-local")]


async def ids(backend: LocalBackend, **sampling: Any) -> tuple[int, ...]:
    """Return the ids of an answer."""
    tokens = (await backend.generate(ask(**sampling))).tokens
    assert tokens is not None
    assert tokens.completion_ids is not None
    return tokens.completion_ids


async def test_greedy_is_what_transformers_generates(backend: LocalBackend, tiny: Any) -> None:
    """At temperature 0 the tokens are those of `generate` itself, id by id."""
    import torch

    completion = await backend.generate(ask("the quick brown fox", temperature=0, max_tokens=32))
    tokens = completion.tokens
    assert tokens is not None
    prompt = torch.tensor([tokens.prompt_ids])
    reference = tiny.model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=32, do_sample=False,
        eos_token_id=tiny.tokenizer.eos_token_id, pad_token_id=0,
    )  # fmt: skip
    assert tokens.completion_ids == tuple(reference[0, prompt.shape[1] :].tolist())
    assert tiny.tokenizer.decode(tokens.prompt_ids) == (
        "<|im_start|>user\nthe quick brown fox<|im_end|>\n<|im_start|>assistant\n"
    )


async def test_the_same_seed_draws_the_same_tokens(backend: LocalBackend) -> None:
    """Alone or among others, before or after: a seed names its answer, another one another."""
    first = await ids(backend, seed=7)
    again: list[tuple[int, ...]] = []

    async def draw() -> None:
        again.append(await ids(backend, seed=7))

    async with anyio.create_task_group() as group:
        for seed in range(3):
            group.start_soon(backend.generate, ask(seed=seed))
            group.start_soon(draw)
    assert set(again) == {first}
    assert await ids(backend, seed=8) != first
    assert await ids(backend) != await ids(backend)


async def test_torch_s_own_generator_is_left_alone(backend: LocalBackend) -> None:
    """A trainer in the same process draws what it would have drawn."""
    import torch

    before = torch.get_rng_state()
    await backend.generate(ask())
    assert torch.equal(before, torch.get_rng_state())


async def test_the_pieces_are_the_answer(backend: LocalBackend, tiny: Any) -> None:
    """Streamed text is the final text, which is the decoding of the tokens."""
    for seed in range(5):
        told: list[Delta] = []

        async def sink(delta: Delta, told: list[Delta] = told) -> None:
            told.append(delta)

        completion = await backend.generate(ask(seed=seed, max_tokens=40), sink)
        assert "".join(delta.text for delta in told) == completion.text
        assert {delta.kind for delta in told} == {"text"}
        assert len(told) > 5
        assert completion.tokens is not None
        decoded = tiny.tokenizer.decode(completion.tokens.completion_ids, skip_special_tokens=True)
        assert completion.text == decoded


async def test_logprobs_are_the_model_s_own(backend: LocalBackend, tiny: Any) -> None:
    """They equal those of one plain forward pass, whatever the sampling did to the logits."""
    import torch

    how = {"temperature": 0.5, "top_k": 50, "frequency_penalty": 0.5, "seed": 3}
    completion = await backend.generate(ask(max_tokens=40, logprobs=True, top_logprobs=2, **how))
    tokens = completion.tokens
    assert tokens is not None
    assert tokens.prompt_ids is not None
    assert tokens.completion_ids is not None
    assert tokens.logprob_semantics == "raw"
    with torch.no_grad():
        logits = tiny.model(torch.tensor([tokens.prompt_ids + tokens.completion_ids])).logits[0]
    all_logprobs = logits.log_softmax(-1)[len(tokens.prompt_ids) - 1 : -1]
    picked = all_logprobs.gather(1, torch.tensor(tokens.completion_ids)[:, None])[:, 0]
    assert (picked - torch.tensor(tokens.logprobs)).abs().max() <= 1e-5
    assert completion.logprobs is not None
    entries = completion.logprobs["content"]
    assert tuple(entry["logprob"] for entry in entries) == tokens.logprobs
    assert entries[0]["top_logprobs"][0]["logprob"] == pytest.approx(float(all_logprobs[0].max()))


async def test_usage_and_the_token_limit(backend: LocalBackend) -> None:
    """Both sides are counted; an answer cut short says so; the backend's own limit is a default."""
    bias = {"2": -100.0}  # never end
    completion = await backend.generate(ask(logit_bias=bias))
    assert completion.tokens is not None
    assert completion.tokens.prompt_ids is not None
    assert completion.finish_reason == "length"
    assert completion.usage.input == len(completion.tokens.prompt_ids)
    assert completion.usage.output == 10
    assert completion.model == "tiny"
    assert (await backend.generate(ask(logit_bias=bias, max_tokens=None))).usage.output == 24


async def test_the_end_token_ends_the_answer(backend: LocalBackend) -> None:
    """It counts and is recorded, for it was drawn; it is no text."""
    completion = await backend.generate(ask(logit_bias={"2": 100.0}))
    assert completion.finish_reason == "stop"
    assert completion.text == ""
    assert completion.usage.output == 1
    assert completion.tokens is not None
    assert completion.tokens.completion_ids == (2,)


async def test_a_stop_string_ends_the_answer(backend: LocalBackend) -> None:
    """The text ends before it, streamed or not, and the model stops there."""
    whole = await backend.generate(ask(seed=1, max_tokens=40))
    stop = whole.text[12:15]
    expected = whole.text[: whole.text.index(stop)]
    told: list[str] = []

    async def sink(delta: Delta) -> None:
        told.append(delta.text)

    completion = await backend.generate(ask(seed=1, max_tokens=40, stop=(stop,)), sink)
    assert completion.text == "".join(told) == expected
    assert completion.finish_reason == "stop"
    assert completion.usage.output < 40


async def test_callers_are_served_in_their_order(maker: Any, tiny: Any) -> None:
    """Thirty at once: first come, first served, and all of them are."""
    model, served = maker.make_model(len(tiny.tokenizer)), []
    generate = model.generate

    def watched(**options: Any) -> Any:
        served.append(tiny.tokenizer.decode(options["input_ids"][0]))
        return generate(**options)

    model.generate = watched
    async with LocalBackend(model, tiny.tokenizer) as backend, anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(backend.generate, ask(f"caller {number}.", max_tokens=2))
            await anyio.wait_all_tasks_blocked()  # trio starts tasks in any order
    assert [f"caller {number}." in prompt for number, prompt in enumerate(served)] == [True] * 30


async def test_a_cancelled_call_frees_the_model(maker: Any, tiny: Any) -> None:
    """It ends at its next step: far fewer tokens are drawn than were asked for."""
    model, steps = maker.make_model(len(tiny.tokenizer)), []
    model.register_forward_hook(lambda *_: steps.append(1))
    started = anyio.Event()

    async def sink(_: Delta) -> None:
        started.set()

    async with LocalBackend(model, tiny.tokenizer) as backend:
        endless = ask(max_tokens=450, logit_bias={"2": -100.0})
        async with anyio.create_task_group() as group:
            group.start_soon(backend.generate, endless, sink)
            await started.wait()
            group.cancel_scope.cancel()
        assert (await backend.generate(ask())).usage.output
    assert len(steps) < 450


async def test_a_sink_that_raises_ends_the_call(backend: LocalBackend) -> None:
    """Its exception comes out as it is, and the model serves the next call."""

    async def sink(_: Delta) -> None:
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await backend.generate(ask(max_tokens=450, seed=1), sink)
    assert (await backend.generate(ask())).usage.output


async def test_closing_twice_leaves_no_thread(tiny: Any) -> None:
    """After `aclose` the thread is gone, and a call says what to do."""
    backend = LocalBackend(tiny.model, tiny.tokenizer)
    await backend.generate(ask())
    assert engine_threads()
    await backend.aclose()
    await backend.aclose()
    assert not engine_threads()
    with pytest.raises(EngineError, match="make a new one"):
        await backend.generate(ask())


async def test_a_forgotten_backend_takes_its_thread_along(tiny: Any) -> None:
    """Without `aclose` the thread ends when nobody holds the backend any more."""
    backend = LocalBackend(tiny.model, tiny.tokenizer)
    await backend.generate(ask())
    (thread,) = engine_threads()
    del backend
    await anyio.to_thread.run_sync(thread.join)


async def test_two_event_loops_share_one_model(backend: LocalBackend) -> None:
    """Another loop, in another thread and of another kind, is served beside this one."""
    expected = await ids(backend, seed=5)

    def elsewhere(kind: str) -> tuple[int, ...]:
        async def main() -> tuple[int, ...]:
            return await ids(backend, seed=5)

        return anyio.run(main, backend=kind)

    found: list[tuple[int, ...]] = []

    async def call(kind: str) -> None:
        found.append(await anyio.to_thread.run_sync(elsewhere, kind))

    async with anyio.create_task_group() as group:
        for kind in ("asyncio", "trio"):
            group.start_soon(call, kind)
        found.append(await ids(backend, seed=5))
    assert found == [expected] * 3


async def test_a_model_in_training_mode_is_left_in_it(maker: Any, tiny: Any) -> None:
    """Dropout is off while it answers, and on again for its trainer."""
    model = maker.make_model(len(tiny.tokenizer))
    model.train()
    async with LocalBackend(model, tiny.tokenizer) as backend:
        await backend.generate(ask())
    assert model.training


async def test_another_family_and_another_dtype(maker: Any, tiny: Any) -> None:
    """What `generate` supports is served: here a Llama in bfloat16."""
    model = maker.make_model(len(tiny.tokenizer), family="Llama")
    async with LocalBackend(model, tiny.tokenizer, device="cpu", dtype="bfloat16") as backend:
        assert str(next(model.parameters()).dtype) == "torch.bfloat16"
        assert await ids(backend, seed=1) == await ids(backend, seed=1)


async def test_the_model_s_own_defaults_hold(maker: Any, tiny: Any) -> None:
    """Its generation configuration fills what the request leaves open, and adds its end tokens."""
    model = maker.make_model(len(tiny.tokenizer))
    model.generation_config.update(do_sample=True, top_k=1, temperature=0.7, eos_token_id=[2, 0])
    async with LocalBackend(model, tiny.tokenizer) as backend:
        greedy = await ids(backend, temperature=0)
        assert await ids(backend) == greedy
        assert await ids(backend, top_k=0, temperature=1.0) != greedy
        assert await ids(backend, logit_bias={"0": 100.0}) == (0,)


async def test_it_pickles_as_its_path(folder: Path) -> None:
    """A backend made from a folder loads it again where it arrives."""
    async with LocalBackend.from_path(folder, model_name="mine") as backend:
        expected = await ids(backend, seed=1)
        copy = pickle.loads(pickle.dumps(backend))
    async with copy:
        assert copy.model == "mine"
        assert await ids(copy, seed=1) == expected


def test_its_spans_name_the_model_and_no_client(tiny: Any) -> None:
    """Usage and traces are booked under `local`, with the model's name."""
    backend = LocalBackend(tiny.model, tiny.tokenizer, model_name="tiny")
    assert identify(backend) == Identity(provider="local", model="tiny", in_process=True)


def test_what_holds_objects_does_not_pickle(tiny: Any) -> None:
    """The refusal says what to do instead."""
    with pytest.raises(TypeError, match="from_path"):
        pickle.dumps(LocalBackend(tiny.model, tiny.tokenizer))


def test_capabilities_are_honest(tiny: Any, maker: Any) -> None:
    """What the template shows of tools is what is said of them."""
    known = LocalBackend(tiny.model, tiny.tokenizer).capabilities
    assert known.structured == ("prompt",)
    assert (known.tools, known.token_ids, known.seed, known.n) == ("yes", "yes", "yes", "no")
    other = maker.make_tokenizer()
    other.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    assert LocalBackend(tiny.model, other).capabilities.tools == "no"
    other.chat_template += "{{ tools }}"
    assert LocalBackend(tiny.model, other).capabilities.tools == "unknown"
    other.chat_template = None
    with pytest.raises(CapabilityError, match="chat template"):
        LocalBackend(tiny.model, other)
