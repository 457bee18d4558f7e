"""Messages and handlers: what may be declared, and what is refused."""

from dataclasses import dataclass
from typing import ClassVar

import anyio
import pytest
from pydantic import BaseModel

from callboard.runtime import Actor, Message, Runtime

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Plain(Message[str]):
    text: str


@dataclass(frozen=True, slots=True)
class Slotted(Message[str]):
    text: str
    default_timeout: ClassVar[float] = 7.0


class Model(BaseModel, Message[str]):
    text: str
    cancel_with_asker: ClassVar[bool] = True


class Frozen(BaseModel, Message[str], frozen=True):
    text: str


class Shout(Actor):
    @Plain.handler
    async def plain(self, message: Plain) -> str:
        return message.text.upper()

    @Slotted.handler
    async def slotted(self, message: Slotted) -> str:
        return message.text.upper()

    @Model.handler
    async def model(self, message: Model) -> str:
        return message.text.upper()

    @Frozen.handler(reentrant=True)
    async def frozen(self, message: Frozen) -> str:
        return message.text.upper()


@pytest.mark.parametrize("kind", [Plain, Slotted, Model, Frozen])
async def test_dataclasses_and_models_are_messages(kind: type[Plain]) -> None:
    """Frozen dataclasses, slotted ones and pydantic models are all messages."""
    async with Runtime() as runtime:
        shout = await runtime.spawn(Shout)
        assert await shout.ask(kind(text="hey")) == "HEY"


async def test_declarations_are_class_variables() -> None:
    """What a message declares about itself is not one of its fields."""
    assert Plain.default_timeout == 30.0
    assert Slotted.default_timeout == 7.0
    assert Model.cancel_with_asker
    assert not Frozen.idempotent
    assert set(Model.model_fields) == {"text"}


async def test_subclass_of_a_message_reaches_its_handler() -> None:
    """A message without a handler of its own goes to the handler of its base."""

    @dataclass(frozen=True)
    class Special(Plain):
        pass

    async with Runtime() as runtime:
        shout = await runtime.spawn(Shout)
        assert await shout.ask(Special("hey")) == "HEY"


async def test_remade_class_is_the_same_message() -> None:
    """A class made again under its name (a notebook cell, a copy) reaches the same handler."""
    copy = type(
        "Plain", (Message,), {"text": "hey", "__qualname__": "Plain", "__module__": __name__}
    )
    async with Runtime() as runtime:
        shout = await runtime.spawn(Shout)
        assert await shout.ask(copy()) == "HEY"


async def test_override_stays_a_handler() -> None:
    """An overriding method need not be decorated again, and is the one that runs."""

    class Whisper(Shout):
        async def plain(self, message: Plain) -> str:
            return message.text.lower()

    async with Runtime() as runtime:
        whisper = await runtime.spawn(Whisper)
        assert await whisper.ask(Plain("HEY")) == "hey"
        assert await whisper.ask(Slotted("hey")) == "HEY"


async def test_sync_handler_is_refused() -> None:
    """A handler must be async; the class statement says so."""
    with pytest.raises(TypeError, match="async def"):

        class Wrong(Actor):
            @Plain.handler  # type: ignore[arg-type]
            def plain(self, message: Plain) -> str:
                return message.text


async def test_two_handlers_for_one_message_are_refused() -> None:
    """Which of two would run is nothing to guess."""
    with pytest.raises(TypeError, match="twice"):

        class Wrong(Actor):
            @Plain.handler
            async def one(self, message: Plain) -> str:
                return message.text

            @Plain.handler
            async def two(self, message: Plain) -> str:
                return message.text


async def test_handlers_are_plain_methods() -> None:
    """A handler can be called directly, without a runtime."""
    assert await Shout().plain(Plain("x")) == "X"
    await anyio.lowlevel.checkpoint()
