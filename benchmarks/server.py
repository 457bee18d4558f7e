"""A model server for benchmarks: constant answers, as fast as one process can give them.

    python benchmarks/server.py        # prints PORT <n>; ends when its standard input is closed

POST anything: a chat completion of fixed text; with `"stream": true` in the body a stream of 100
chunks, each written by itself. One `asyncio.Protocol` writes bytes that were made beforehand, so
that what is measured is the client. It runs on uvloop where that is installed.
"""

import asyncio
import json
import re
import sys

USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
CHUNKS = 100
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
STREAM = re.compile(rb'"stream":\s*true')
HEAD_END = b"\r\n\r\n"


def completion() -> bytes:
    """One answer, its head included."""
    message = {
        "role": "assistant",
        "content": "The quick brown fox jumps over the lazy dog.",
        "refusal": None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = json.dumps(
        {
            "id": "chatcmpl-abc123",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "bench",
            "choices": [choice],
            "usage": USAGE,
            "service_tier": "default",
            "system_fingerprint": "fp_0",
        }
    ).encode()
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def event(delta: dict[str, object], finish: str | None = None, usage: object = None) -> bytes:
    """One chunk of a stream, as an event."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    value = {
        "id": "chatcmpl-abc123",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "bench",
        "service_tier": "default",
        "system_fingerprint": "fp_0",
        "choices": [choice],
        "usage": usage,
    }
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def stream() -> list[bytes]:
    """The pieces of one streamed answer, in HTTP's chunked coding."""
    words = [event({"content": f" tok{index}"}) for index in range(CHUNKS - 2)]
    first = event({"role": "assistant", "content": "", "refusal": None})
    events = [first, *words, event({}, "stop", USAGE), b"data: [DONE]\n\n"]
    coded = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in events]
    return [*coded, b"0\r\n\r\n"]


ANSWER = completion()
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
PIECES = stream()


class Connection(asyncio.Protocol):
    """Answers whatever comes in on one connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(HEAD_END)) >= 0:
            length = LENGTH.search(self.buffer, 0, end)
            whole = end + len(HEAD_END) + (int(length.group(1)) if length else 0)
            if len(self.buffer) < whole:
                return
            body, self.buffer = self.buffer[end:whole], self.buffer[whole:]
            self.answer(body)

    def answer(self, body: bytes) -> None:
        if not STREAM.search(body):
            self.transport.write(ANSWER)
            return
        self.transport.write(STREAM_HEAD)
        self.next_piece(0)

    def next_piece(self, index: int) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(PIECES[index])
        if index + 1 < len(PIECES):
            asyncio.get_running_loop().call_soon(self.next_piece, index + 1)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(f"PORT {server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
