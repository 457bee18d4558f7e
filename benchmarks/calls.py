"""What a model call costs: callboard against raw aiohttp and the plain SDK, in one run.

    python benchmarks/calls.py              # nine rounds, about a minute
    python benchmarks/calls.py --quick      # three rounds, about fifteen seconds
    python benchmarks/calls.py --json FILE  # write the figures as well

The server (benchmarks/server.py) is a process of its own on the loopback; calls go one after the
other. Figures are microseconds of this process's CPU time per call, medians of rounds in which the
contenders run in random order; only the ratios within one run mean anything on a shared machine.

- 2 messages, 100 messages: one call with a conversation of that length.
- stream: an answer of 100 chunks, each of them a write of the server's own.

The reference (1.00x) is aiohttp with its own JSON. "OpenAIBackend" is ours, bare; "default_stack"
is the whole stack of middleware around it, with the tracing of a user who set up none; "spans" has
them recorded by the OpenTelemetry SDK.
"""

import argparse
import asyncio
import gc
import json
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import openai
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.console import Console
from rich.progress import track
from rich.table import Table

from callboard.backends import OpenAIBackend, Request
from callboard.backends.default_stack import default_stack

MODEL = "bench"
CHUNKS = 100
PATH = "/chat/completions"
TARGETS = {
    ("2 messages", "default_stack"): 8.0,
    ("100 messages", "default_stack"): 6.0,
}
"""Ratios to the reference that must not be exceeded."""

Operation = Callable[[], Awaitable[None]]


def conversation(length: int) -> list[dict[str, Any]]:
    """A conversation of so many messages."""
    start = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Say something about foxes."},
    ]
    roles = ("assistant", "user")
    more = [{"role": roles[i % 2], "content": f"message {i} " * 8} for i in range(length - 2)]
    return start + more


CONVERSATIONS = {f"{length} messages": conversation(length) for length in (2, 100)}
SHORT = CONVERSATIONS["2 messages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way of doing one thing."""

    group: str
    name: str
    run: Operation
    count: int


async def ignore(_: object) -> None:
    """A sink that looks at nothing."""


@asynccontextmanager
async def raw_aiohttp(url: str) -> AsyncIterator[list[Contender]]:
    """The reference: aiohttp and its own JSON, nothing else."""
    headers = {"Authorization": "Bearer none"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        def call(messages: list[Any]) -> Operation:
            async def run() -> None:
                body = {"model": MODEL, "messages": messages}
                async with session.post(url + PATH, json=body) as response:
                    answer = await response.json()
                assert answer["choices"][0]["message"]["content"]

            return run

        async def stream() -> None:
            chunks = 0
            body = {"model": MODEL, "messages": SHORT, "stream": True}
            async with session.post(url + PATH, json=body) as response:
                async for line in response.content:
                    if line.startswith(b"data: ") and line[6:12] != b"[DONE]":
                        json.loads(line[6:])
                        chunks += 1
            assert chunks == CHUNKS

        yield contenders("raw aiohttp", call, stream)


@asynccontextmanager
async def plain_sdk(name: str, client: Any) -> AsyncIterator[list[Contender]]:
    """The SDK as its documentation has it."""

    def call(messages: list[Any]) -> Operation:
        async def run() -> None:
            answer = await client.chat.completions.create(model=MODEL, messages=messages)
            assert answer.choices[0].message.content

        return run

    async def stream() -> None:
        chunks = 0
        answer = await client.chat.completions.create(model=MODEL, messages=SHORT, stream=True)
        async for chunk in answer:
            chunks += len(chunk.choices)
        assert chunks == CHUNKS

    async with client:
        yield contenders(name, call, stream)


@asynccontextmanager
async def callboard(name: str, backend: Any) -> AsyncIterator[list[Contender]]:
    """A backend of ours, bare or in its stack."""

    def call(messages: list[Any]) -> Operation:
        request = Request(messages)

        async def run() -> None:
            completion = await backend.generate(request)
            assert completion.text

        return run

    short = Request(SHORT)

    async def stream() -> None:
        completion = await backend.generate(short, ignore)
        assert completion.text

    try:
        yield contenders(name, call, stream)
    finally:
        await backend.aclose()


def contenders(
    name: str, call: Callable[[list[Any]], Operation], stream: Operation
) -> list[Contender]:
    """One client's entries in every group."""
    calls = [
        Contender(group=group, name=name, run=call(messages), count=150)
        for group, messages in CONVERSATIONS.items()
    ]
    return [*calls, Contender(group="stream", name=name, run=stream, count=20)]


def recording() -> tuple[TracerProvider, InMemorySpanExporter]:
    """A tracer provider that records every span, and where it puts them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


async def measure(contender: Contender) -> float:
    """CPU microseconds per call."""
    await contender.run()
    gc.collect()
    started = time.process_time()
    for _ in range(contender.count):
        await contender.run()
    return (time.process_time() - started) / contender.count * 1e6


async def race(url: str, rounds: int) -> dict[tuple[str, str], list[float]]:
    """Run all contenders in random order, so many times."""
    key = {"base_url": url, "api_key": "none", "max_retries": 0}
    provider, exporter = recording()
    aio, httpx_based = openai.DefaultAioHttpClient(), openai.DefaultAsyncHttpxClient()

    def backend() -> OpenAIBackend:
        return OpenAIBackend(MODEL, base_url=url)

    async with (
        raw_aiohttp(url) as raw,
        plain_sdk("openai", openai.AsyncOpenAI(**key, http_client=httpx_based)) as sdk,
        plain_sdk("openai, aiohttp", openai.AsyncOpenAI(**key, http_client=aio)) as sdk_aio,
        callboard("OpenAIBackend", backend()) as bare,
        callboard("default_stack", default_stack(backend())) as stacked,
        callboard(
            "default_stack, spans",
            default_stack(backend(), tracer_provider=provider),
        ) as traced,
    ):
        entries = [*raw, *sdk, *sdk_aio, *bare, *stacked, *traced]
        figures: dict[tuple[str, str], list[float]] = {(c.group, c.name): [] for c in entries}
        order = [random.sample(entries, len(entries)) for _ in range(rounds)]
        turns = [contender for turn in order for contender in turn]
        for contender in track(turns, "calls", console=Console(stderr=True), transient=True):
            figures[contender.group, contender.name].append(await measure(contender))
            exporter.clear()
    return figures


def report(figures: dict[tuple[str, str], list[float]]) -> list[dict[str, Any]]:
    """The medians and their ratios to the reference of each group."""
    medians = {entry: statistics.median(values) for entry, values in figures.items()}
    rows = []
    for (group, name), micros in medians.items():
        ratio = micros / medians[group, "raw aiohttp"]
        target = TARGETS.get((group, name))
        rows.append(
            {"group": group, "name": name, "micros": micros, "ratio": ratio, "target": target}
        )
    groups = [*CONVERSATIONS, "stream"]
    return sorted(rows, key=lambda row: groups.index(row["group"]))


def show(rows: list[dict[str, Any]], console: Console) -> None:
    """Print the table."""
    table = Table(title="CPU time per call", title_justify="left")
    for heading in ("", "client", "us", "x raw aiohttp", "target"):
        table.add_column(heading, justify="left" if heading in ("", "client") else "right")
    last = None
    for row in rows:
        if last not in (None, row["group"]):
            table.add_section()
        target = row["target"]
        missed = target is not None and row["ratio"] > target
        table.add_row(
            row["group"] if row["group"] != last else "",
            row["name"],
            f"{row['micros']:,.0f}",
            f"[red]{row['ratio']:.2f}x[/]" if missed else f"{row['ratio']:.2f}x",
            "" if target is None else f"<= {target:g}x",
        )
        last = row["group"]
    console.print(table)


def environment() -> dict[str, str]:
    """What the figures depend on."""
    packages = ("openai", "aiohttp", "anyio", "pydantic", "opentelemetry-sdk")
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in packages},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three rounds instead of nine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    options = parser.parse_args()
    server = Path(__file__).with_name("server.py")
    console = Console()
    with subprocess.Popen(
        [sys.executable, str(server)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().removeprefix("PORT "))
        figures = asyncio.run(race(f"http://127.0.0.1:{port}/v1", 3 if options.quick else 9))
        process.communicate()
    rows, about = report(figures), environment()
    show(rows, console)
    console.print(", ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    if options.json:
        options.json.write_text(json.dumps({"environment": about, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
