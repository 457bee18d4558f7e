"""What type checkers refuse of output types, doubles and tools."""

from dataclasses import dataclass

from callboard.backends import FunctionBackend, RandomBackend, Request, ScriptedBackend, Tool, tool
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.middleware.tools import Tools


@dataclass(frozen=True)
class Quote:
    price: int


async def infer(backend: RandomBackend) -> None:
    price: str = (await backend.generate(Request("hi", output=Quote))).parsed  # E
    number: int = (await backend.generate(Request("hi", output=int | None))).parsed  # E
    (await backend.generate(Request("hi"))).parsed.price  # E
    (await backend.generate(Request("hi", output=Quote))).parsed.amount  # E
    Request("hi", output=3)  # E
    Request("hi", tools=["search"])  # E


def build() -> None:
    RandomBackend("7")  # E
    RandomBackend(0, 0.5)  # E
    ScriptedBackend("a", "b")  # E
    FunctionBackend(3)  # E
    FunctionBackend(lambda: "no request")  # E
    StructuredOutput(modes=("native",))  # E
    StructuredOutput(modes="prompt")  # E
    Tools(timeout="soon")  # E
    Tools(8, 5.0)  # E
    Tool(name="search")  # E
    tool(3)  # E
    tool(print, name="p")  # E
