"""A scriptable OpenAI-compatible server in a process of its own: every answer and every failure.

Run as a file (`python chat_server.py`): it listens on a free loopback port, prints `PORT <n>`, and
ends when its standard input is closed, so that it never outlives the tests. Standard library only.

How a request is answered is its *step*. The `model` of the body chooses it:

- a model named like a behaviour below (`plain`, `tools`, `garbage` ...) gets that behaviour;
- a model for which steps were scripted (`POST /control/script`) gets them one after the other, the
  last one for ever;
- any other model gets `plain`. An Azure deployment in the path counts as the model.

A step is a behaviour's name, or a dict `{"do": name, ...}` with the options in brackets:

    plain [text, usage, id, finish]       an answer in words; in pieces if `stream` was asked for
    tools [calls, text, finish]           tool calls {"name", "arguments"}; one `add` by default
    json [value]                          an answer whose text is that value as JSON
    structured                            the smallest instance of the request's json_schema
    echo                                  an answer whose text is the request body as it came
    reasoning [field]                     an answer with thinking, in `reasoning_content` or `field`
    body [value, status, headers]         that JSON as the whole answer
    raw [text, type, status, headers]     that text as the whole answer
    sse [text]                            that text as the whole event stream, byte for byte
    chunks [chunks, done]                 those dicts as the events of a stream
    status [status, message, code, type, headers]   an OpenAI-style error
    rate_limited [retry_after]            429, with Retry-After if given
    garbage | empty | html_502 | null_content | null_choices | no_choices | unknown_finish
    truncated_arguments | schema_violation | error_in_200 | refusal | sparse
    reset                                 the connection is reset before an answer
    reset_mid_body                        ... in the middle of the answer
    reset_mid_stream [pieces]             ... after some pieces of a stream
    close_mid_stream [pieces]             the stream ends early, and cleanly
    hang                                  nothing, until the client goes away
    hang_mid_stream [pieces]              some pieces, then nothing
    delay [seconds, then]                 the step `then` after a while

Control, for the fixture `chat_server` of tests/conftest.py: `/control/script`, `/control/requests`,
`/control/connections`, `/control/wait` (long poll until so many requests came, or their
connections are gone).
"""

import asyncio
import json
import os
import socket
import struct
import sys
from collections import defaultdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
TEXT = "Hello from the test server."


class GoneError(Exception):
    """The client is gone, or the connection was reset on purpose."""


class Connection:
    """One HTTP/1.1 connection: reads requests, writes answers."""

    def __init__(self, server: "Server", reader: Any, writer: Any) -> None:
        self.server, self.reader, self.writer = server, reader, writer

    async def serve(self) -> None:
        while True:
            request = await self.read_request()
            if request is None:
                return
            await self.server.answer(self, request)

    async def read_request(self) -> dict[str, Any] | None:
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = [line.split(": ", 1) for line in lines]
        lower = {name.lower(): value for name, value in headers}
        if "chunked" in lower.get("transfer-encoding", ""):
            body = await self.read_chunked()
        else:
            body = await self.reader.readexactly(int(lower.get("content-length", 0)))
        parts = urlsplit(target)
        return {
            "method": method,
            "path": parts.path,
            "query": parts.query,
            "headers": lower,
            "header_list": headers,
            "text": body.decode("utf-8", "replace"),
        }

    async def read_chunked(self) -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body

    async def write(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise GoneError
        self.writer.write(data)
        await self.writer.drain()

    async def whole(
        self,
        body: bytes,
        *,
        status: int = 200,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = (
            f"HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\nx-request-id: req_test\r\n"
            f"{extra}content-length: {len(body)}\r\n\r\n"
        )
        await self.write(head.encode() + body)

    async def start_stream(self) -> None:
        await self.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"x-request-id: req_test\r\ntransfer-encoding: chunked\r\n\r\n"
        )

    async def piece(self, data: bytes) -> None:
        await self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def event(self, value: Any) -> None:
        await self.piece(b"data: " + json.dumps(value).encode() + b"\n\n")

    async def end_stream(self, *, done: bool = True) -> None:
        if done:
            await self.piece(b"data: [DONE]\n\n")
        await self.write(b"0\r\n\r\n")

    async def until_gone(self) -> None:
        while await self.reader.read(65536):
            pass
        raise GoneError

    def reset(self) -> None:
        no_linger = struct.pack("ii", 1, 0)  # closing sends RST, not FIN
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self.writer.transport.abort()
        raise GoneError


class Server:
    """What was scripted, what was received, and who is connected."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Any]] = {}
        self.received: list[dict[str, Any]] = []
        self.open: set[Connection] = set()
        self.accepted = 0
        self.closed_for: dict[str, int] = defaultdict(int)
        self.changed = asyncio.Condition()

    async def connected(self, reader: Any, writer: Any) -> None:
        connection = Connection(self, reader, writer)
        self.open.add(connection)
        self.accepted += 1
        served: list[str] = []
        connection.served = served  # type: ignore[attr-defined]
        try:
            await connection.serve()
        except (GoneError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.open.discard(connection)
            for model in served:
                self.closed_for[model] += 1
            await self.notify()

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def answer(self, connection: Any, request: dict[str, Any]) -> None:
        if request["path"].startswith("/control/"):
            await self.control(connection, request)
            return
        if request["path"].endswith("/models"):
            models = [{"id": "plain", "object": "model", "created": 0, "owned_by": "tests"}]
            await connection.whole(json.dumps({"object": "list", "data": models}).encode())
            return
        if not request["path"].endswith("/chat/completions"):
            await STEPS["status"](connection, {}, {"status": 404, "message": "no such path"})
            return
        body = json.loads(request["text"])
        model = deployment(request["path"]) or str(body.get("model", ""))
        request |= {"model": model, "body": body}
        step = self.next_step(model)
        self.received.append(request)
        connection.served.append(model)
        await self.notify()
        await play(connection, body, step)

    def next_step(self, model: str) -> Any:
        steps = self.scripts.get(model)
        if steps:
            return steps.pop(0) if len(steps) > 1 else steps[0]
        return model if model in STEPS else "plain"

    async def control(self, connection: Any, request: dict[str, Any]) -> None:
        query = {name: values[0] for name, values in parse_qs(request["query"]).items()}
        what = request["path"].removeprefix("/control/")
        if what == "script":
            script = json.loads(request["text"])
            self.scripts[script["model"]] = script["steps"]
            value: Any = {}
        elif what == "requests":
            model = query.get("model")
            value = [r for r in self.received if model is None or r["model"] == model]
        elif what == "connections":
            value = {"open": len(self.open) - 1, "accepted": self.accepted}
        else:
            value = await self.wait(query["model"], int(query["count"]), query["event"])
        await connection.whole(json.dumps(value).encode())

    async def wait(self, model: str, count: int, event: str) -> Any:
        def seen() -> int:
            if event == "closed":
                return self.closed_for[model]
            return sum(r["model"] == model for r in self.received)

        async with self.changed:
            await self.changed.wait_for(lambda: seen() >= count)
        return {"seen": seen()}


def deployment(path: str) -> str | None:
    before, found, after = path.partition("/deployments/")
    return after.split("/")[0] if found and before else None


async def play(connection: Any, body: Any, step: Any) -> None:
    options = {"do": step} if isinstance(step, str) else step
    await STEPS[options["do"]](connection, body, options)


# --- answers ------------------------------------------------------------------------------------


def message(text: str | None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "refusal": None, **more}


def completion(
    said: dict[str, Any], body: Any, finish: Any = "stop", **more: Any
) -> dict[str, Any]:
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body.get("model", "test"),
        "choices": [choice],
        "usage": USAGE,
        **more,
    }


def chunk(delta: dict[str, Any], finish: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def words(text: str) -> list[str]:
    pieces = text.split(" ")
    return [piece + " " for piece in pieces[:-1]] + pieces[-1:]


def pieces_of(said: dict[str, Any], finish: Any) -> list[dict[str, Any]]:
    """The chunks of one message, tool calls in two pieces each."""
    chunks = [chunk({"role": "assistant", "content": ""})]
    for field in ("reasoning_content", "reasoning", "refusal", "content"):
        chunks += [chunk({field: word}) for word in words(said.get(field) or "") if word]
    for index, call in enumerate(said.get("tool_calls") or ()):
        function = call["function"]
        half = len(function["arguments"]) // 2
        head = {"name": function["name"], "arguments": function["arguments"][:half]}
        tail = {"arguments": function["arguments"][half:]}
        start = {"index": index, "id": call["id"], "type": "function", "function": head}
        chunks.append(chunk({"tool_calls": [start]}))
        chunks.append(chunk({"tool_calls": [{"index": index, "function": tail}]}))
    return [*chunks, chunk({}, finish)]


async def say(connection: Any, body: Any, said: dict[str, Any], finish: Any, **more: Any) -> None:
    if not body.get("stream"):
        await connection.whole(json.dumps(completion(said, body, finish, **more)).encode())
        return
    await connection.start_stream()
    for piece in pieces_of(said, finish):
        await connection.event(piece)
    if (body.get("stream_options") or {}).get("include_usage"):
        await connection.event({**chunk({}), "choices": [], "usage": more.get("usage", USAGE)})
    await connection.end_stream()


async def plain(connection: Any, body: Any, step: Any) -> None:
    more = {name: step[name] for name in ("usage", "id") if name in step}
    await say(connection, body, message(step.get("text", TEXT)), step.get("finish", "stop"), **more)


async def tools(connection: Any, body: Any, step: Any) -> None:
    calls = step.get("calls", [{"name": "add", "arguments": {"a": 1, "b": 2}}])
    wire = [
        {
            "id": call.get("id", f"call_{index}"),
            "type": "function",
            "function": {"name": call["name"], "arguments": _arguments(call["arguments"])},
        }
        for index, call in enumerate(calls)
    ]
    said = message(step.get("text"), tool_calls=wire)
    await say(connection, body, said, step.get("finish", "tool_calls"))


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def as_json(connection: Any, body: Any, step: Any) -> None:
    await say(connection, body, message(json.dumps(step.get("value"))), "stop")


async def structured(connection: Any, body: Any, step: Any) -> None:
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema", {})
    await as_json(connection, body, {"value": instance(schema, schema.get("$defs", {}))})


def instance(schema: Any, defs: Any) -> Any:
    """The smallest value that fits a JSON schema of the kind that pydantic writes."""
    if "$ref" in schema:
        return instance(defs[schema["$ref"].rsplit("/", 1)[-1]], defs)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return instance(schema[word][0], defs)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        fields = schema.get("properties", {})
        return {name: instance(fields.get(name, {}), defs) for name in schema.get("required", [])}
    if kind in ("integer", "number"):
        above = schema.get("exclusiveMinimum")
        return schema.get("minimum", 0 if above is None else above + 1)
    if kind == "array":
        return [instance(schema.get("items", {}), defs)] * schema.get("minItems", 0)
    return {"boolean": False, "null": None}.get(kind or "", "a" * schema.get("minLength", 0))


async def echo(connection: Any, body: Any, step: Any) -> None:
    await say(connection, body, message(json.dumps(body)), "stop")


async def reasoning(connection: Any, body: Any, step: Any) -> None:
    said = message("42", **{step.get("field", "reasoning_content"): "Let me think."})
    await say(connection, body, said, "stop")


# --- answers of one's own -----------------------------------------------------------------------


async def whole_body(connection: Any, body: Any, step: Any) -> None:
    text = json.dumps(step["value"])
    await connection.whole(
        text.encode(), status=step.get("status", 200), headers=step.get("headers")
    )


async def raw(connection: Any, body: Any, step: Any) -> None:
    kind = step.get("type", "application/json")
    await connection.whole(
        step.get("text", "").encode(),
        status=step.get("status", 200),
        kind=kind,
        headers=step.get("headers"),
    )


async def sse(connection: Any, body: Any, step: Any) -> None:
    await connection.start_stream()
    await connection.piece(step["text"].encode())
    await connection.end_stream(done=False)


async def chunks(connection: Any, body: Any, step: Any) -> None:
    await connection.start_stream()
    for value in step["chunks"]:
        await connection.event(value)
    await connection.end_stream(done=step.get("done", True))


async def status(connection: Any, body: Any, step: Any) -> None:
    error = {
        "message": step.get("message", "no"),
        "type": step.get("type", "test_error"),
        "param": None,
        "code": step.get("code"),
    }
    text = json.dumps({"error": error}).encode()
    await connection.whole(text, status=step["status"], headers=step.get("headers"))


async def rate_limited(connection: Any, body: Any, step: Any) -> None:
    after = step.get("retry_after")
    headers = {} if after is None else {"retry-after": str(after)}
    await status(connection, body, {"status": 429, "message": "slow down", "headers": headers})


# --- what foreign servers do wrong ----------------------------------------------------------------


def fixed_text(text: str, *, status: int = 200, kind: str = "application/json") -> Any:
    async def answer(connection: Any, body: Any, step: Any) -> None:
        await connection.whole(text.encode(), status=status, kind=kind)

    return answer


def fixed_choices(choices: Any) -> Any:
    async def answer(connection: Any, body: Any, step: Any) -> None:
        value = {**completion(message("x"), body), "choices": choices}
        if body.get("stream"):
            await connection.start_stream()
            await connection.event({**chunk({}), "choices": choices})
            await connection.end_stream()
        else:
            await connection.whole(json.dumps(value).encode())

    return answer


async def garbage(connection: Any, body: Any, step: Any) -> None:
    if body.get("stream"):
        await sse(connection, body, {"text": 'data: {"id": "chatcmpl-1", "cho\n\n'})
    else:
        await connection.whole(b'{"id": "chatcmpl-1", "cho')


async def null_content(connection: Any, body: Any, step: Any) -> None:
    await say(connection, body, message(None), "stop")


async def unknown_finish(connection: Any, body: Any, step: Any) -> None:
    await say(connection, body, message(TEXT), "because")


async def truncated_arguments(connection: Any, body: Any, step: Any) -> None:
    calls = [{"name": "add", "arguments": '{"a": 1, "b'}]
    await tools(connection, body, {"calls": calls, "finish": "tool_calls"})


async def schema_violation(connection: Any, body: Any, step: Any) -> None:
    await as_json(connection, body, {"value": {"unexpected": True}})


async def refusal(connection: Any, body: Any, step: Any) -> None:
    await say(
        connection, body, {"role": "assistant", "content": None, "refusal": "I won't."}, "stop"
    )


async def sparse(connection: Any, body: Any, step: Any) -> None:
    """All that is not needed is null or missing: id, object, index, usage, finish reason."""
    if body.get("stream"):
        await connection.start_stream()
        await connection.event(
            {"id": None, "choices": [{"index": None, "delta": {"content": "hi"}}]}
        )
        await connection.end_stream()
        return
    choice = {"index": None, "message": {"role": None, "content": "hi"}, "finish_reason": None}
    value = {"id": None, "object": None, "choices": [choice], "usage": None}
    await connection.whole(json.dumps(value).encode())


# --- connections that break ---------------------------------------------------------------------


async def reset(connection: Any, body: Any, step: Any) -> None:
    connection.reset()


async def reset_mid_body(connection: Any, body: Any, step: Any) -> None:
    await connection.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"
        b'{"id": "chatcmpl-1", "choices": ['
    )
    connection.reset()


async def begin(connection: Any, step: Any) -> None:
    await connection.start_stream()
    await connection.event(chunk({"role": "assistant", "content": ""}))
    for index in range(step.get("pieces", 3)):
        await connection.event(chunk({"content": f"word{index} "}))


async def reset_mid_stream(connection: Any, body: Any, step: Any) -> None:
    await begin(connection, step)
    connection.reset()


async def close_mid_stream(connection: Any, body: Any, step: Any) -> None:
    await begin(connection, step)
    await connection.end_stream(done=False)


async def hang(connection: Any, body: Any, step: Any) -> None:
    await connection.until_gone()


async def hang_mid_stream(connection: Any, body: Any, step: Any) -> None:
    await begin(connection, step)
    await connection.until_gone()


async def delay(connection: Any, body: Any, step: Any) -> None:
    await asyncio.sleep(step.get("seconds", 0.05))  # noqa: TID251 - a server process of asyncio's own
    await play(connection, body, step.get("then", "plain"))


HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
STEPS: dict[str, Any] = {
    "plain": plain,
    "tools": tools,
    "json": as_json,
    "structured": structured,
    "echo": echo,
    "reasoning": reasoning,
    "body": whole_body,
    "raw": raw,
    "sse": sse,
    "chunks": chunks,
    "status": status,
    "rate_limited": rate_limited,
    "garbage": garbage,
    "empty": fixed_text(""),
    "html_502": fixed_text(HTML, status=502, kind="text/html"),
    "null_content": null_content,
    "null_choices": fixed_choices(None),
    "no_choices": fixed_choices([]),
    "unknown_finish": unknown_finish,
    "truncated_arguments": truncated_arguments,
    "schema_violation": schema_violation,
    "error_in_200": fixed_text('{"error": {"message": "upstream is down", "code": 503}}'),
    "refusal": refusal,
    "sparse": sparse,
    "reset": reset,
    "reset_mid_body": reset_mid_body,
    "reset_mid_stream": reset_mid_stream,
    "close_mid_stream": close_mid_stream,
    "hang": hang,
    "hang_mid_stream": hang_mid_stream,
    "delay": delay,
}


async def main() -> None:
    server = await asyncio.start_server(Server().connected, "127.0.0.1", 0, backlog=1024)
    print(f"PORT {server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whoever is still connected is to see the end, and nobody a traceback


if __name__ == "__main__":
    asyncio.run(main())
