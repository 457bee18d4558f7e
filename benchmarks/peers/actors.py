"""One actor system doing one thing, timed: runs in the environment of the system that it names.

    python actors.py NAME OPERATION COUNT      # prints CPU microseconds per operation

Systems: callboard, autogen-core, pykka, thespian; operations: ask, tell. An operation's cost is the
process's CPU time, threads included, without start and end of the system. A tell counts from the
send to the end of its handler.
"""

import sys
import time
from dataclasses import dataclass
from typing import Any

SYSTEMS: dict[str, Any] = {}


def system(name: str) -> Any:
    def register(measure: Any) -> Any:
        SYSTEMS[name] = measure
        return measure

    return register


class Clock:
    """CPU microseconds of this process, from its making."""

    def __init__(self) -> None:
        self.started = time.process_time()

    def per(self, count: int) -> float:
        return (time.process_time() - self.started) / count * 1e6


@system("callboard")
def callboard(operation: str, count: int) -> float:
    import anyio

    from callboard.runtime import Actor, Message, Runtime

    @dataclass(frozen=True, slots=True)
    class Ping(Message[int]):
        n: int

    class Echo(Actor):
        @Ping.handler
        async def ping(self, message: Ping) -> int:
            return message.n

    async def main() -> float:
        async with Runtime() as runtime:
            echo = await runtime.spawn(Echo)
            message = Ping(1)
            await echo.ask(message)
            clock = Clock()
            if operation == "ask":
                for _ in range(count):
                    await echo.ask(message, timeout=30.0)
            else:
                for _ in range(count):
                    await echo.tell(message)
                await runtime.settle()
            return clock.per(count)

    return anyio.run(main)


@system("autogen-core")
def autogen(operation: str, count: int) -> float:
    import asyncio

    from autogen_core import (
        AgentId,
        MessageContext,
        RoutedAgent,
        SingleThreadedAgentRuntime,
        message_handler,
    )
    from opentelemetry.trace import NoOpTracerProvider

    @dataclass
    class Ping:
        n: int

    class Echo(RoutedAgent):
        @message_handler
        async def ping(self, message: Ping, ctx: MessageContext) -> Ping:  # noqa: ARG002 - its form
            return message

    async def main() -> float:
        runtime = SingleThreadedAgentRuntime(tracer_provider=NoOpTracerProvider())
        await Echo.register(runtime, "echo", lambda: Echo("echo"))
        runtime.start()
        echo, message = AgentId("echo", "default"), Ping(1)
        await runtime.send_message(message, echo)
        clock = Clock()
        if operation == "ask":
            for _ in range(count):
                await runtime.send_message(message, echo)
        else:
            # It has no tell: a send whose reply nobody awaits is the nearest.
            await asyncio.gather(*(runtime.send_message(message, echo) for _ in range(count)))
        used = clock.per(count)
        await runtime.stop_when_idle()
        return used

    # It reads the handler's annotations by name, so the classes have to be findable.
    globals().update(Ping=Ping, MessageContext=MessageContext)
    return asyncio.run(main())


@system("pykka")
def pykka_(operation: str, count: int) -> float:
    import pykka

    class Echo(pykka.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    echo = Echo.start()
    echo.ask(1)
    clock = Clock()
    if operation == "ask":
        for _ in range(count):
            echo.ask(1, timeout=30.0)
    else:
        for _ in range(count):
            echo.tell(1)
        echo.ask(1)
    used = clock.per(count)
    echo.stop()
    return used


@system("thespian")
def thespian_(operation: str, count: int) -> float:
    from thespian.actors import ActorSystem

    system = ActorSystem("simpleSystemBase")
    echo = system.createActor(_thespian_echo())
    system.ask(echo, 1)
    clock = Clock()
    if operation == "ask":
        for _ in range(count):
            system.ask(echo, 1, 30.0)
    else:
        for _ in range(count):
            system.tell(echo, 0)
        system.ask(echo, 1)
    used = clock.per(count)
    system.shutdown()
    return used


def _thespian_echo() -> Any:
    from thespian.actors import Actor

    class Echo(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802 - thespian's name
            if isinstance(message, int) and message:
                self.send(sender, message)

    return Echo


if __name__ == "__main__":
    print(SYSTEMS[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
