"""From records back to messages: versions, names, classes, and whatever does not fit."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from callboard.runtime import Message
from callboard.runtime.journal import (
    AcceptedRecord,
    Body,
    Decoder,
    MessageTypeError,
    UpcastError,
    Upcasters,
)
from callboard.runtime.journal.bodies import Bodies
from callboard.runtime.message import qualified_name


@dataclass(frozen=True, slots=True)
class Order(Message[int]):
    schema_version: ClassVar[int] = 3
    amount: int
    currency: str


@dataclass(frozen=True)
class Everything(Message[None]):
    number: float
    data: bytes
    when: datetime
    price: Decimal
    nested: dict[str, list[tuple[int, str | None]]]


class Quote(BaseModel, Message[None]):
    price: float
    note: str | None = None


ORDER = qualified_name(Order)


def record(name: str, body: Any, version: int = 1) -> AcceptedRecord:
    """Return what a journal says about a message."""
    return AcceptedRecord(
        sequence=1,
        time=0,
        recipient="shop",
        sender=None,
        kind="tell",
        message=name,
        version=version,
        body=body,
    )


def history() -> Upcasters:
    """Version 1 had `n`, version 2 `amount`, version 3 a currency, too."""
    upcasters = Upcasters()

    @upcasters.register(ORDER, version=1)
    def _(body: Body) -> Body:
        return {"amount": body["n"]}

    @upcasters.register(ORDER, version=2)
    def _(body: Body) -> Body:
        return {**body, "currency": "EUR"}

    upcasters.rename("shop.Buy", "shop.Purchase")
    upcasters.rename("shop.Purchase", ORDER)
    return upcasters


@pytest.mark.parametrize(
    ("name", "version", "body"),
    [
        (ORDER, 3, {"amount": 5, "currency": "EUR"}),
        (ORDER, 2, {"amount": 5}),
        (ORDER, 1, {"n": 5}),
        ("shop.Purchase", 2, {"amount": 5}),
        ("shop.Buy", 1, {"n": 5}),
    ],
)
def test_every_version_becomes_todays_message(name: str, version: int, body: Body) -> None:
    """Upcasters follow one another, under the name of today."""
    assert Decoder(history()).message(record(name, body, version)) == Order(5, "EUR")


@pytest.mark.parametrize(
    ("version", "body", "said"),
    [
        (3, {"amount": "many", "currency": "EUR"}, "amount"),
        (3, {"currency": "EUR"}, "amount"),
        (4, {"amount": 5, "currency": "EUR"}, "no upcaster leads there"),
    ],
)
def test_what_does_not_fit_is_an_error(version: int, body: Body, said: str) -> None:
    """The error names the fields and the versions, and not what the body says."""
    with pytest.raises(UpcastError, match=said) as caught:
        Decoder(history()).message(record(ORDER, body, version))
    assert "many" not in str(caught.value)


def test_without_upcasters_an_old_version_is_an_error() -> None:
    """A body of another version is never guessed at."""
    with pytest.raises(UpcastError, match="version 1 is not one of version 3"):
        Decoder().message(record(ORDER, {"amount": 5, "currency": "EUR"}))


@pytest.mark.parametrize("name", ["os.system", "no_such_module.Order", "builtins.dict", "x", ""])
def test_names_are_looked_up_never_imported(name: str) -> None:
    """A foreign file can't make a program load or call anything that is no message."""
    with pytest.raises(MessageTypeError):
        Decoder().message(record(name, {}))


def test_what_the_runtime_sent_is_no_message() -> None:
    """Down has no body."""
    with pytest.raises(MessageTypeError):
        Decoder().message(record("callboard.runtime.down.Down", None))


def test_local_classes_are_found_and_can_be_named() -> None:
    """Of several classes of one name the youngest wins, or the one that is named."""

    def make() -> type[Any]:
        @dataclass(frozen=True, slots=True)
        class Local(Message[None]):
            n: int

        return Local

    old, new = make(), make()
    name = qualified_name(new)
    assert type(Decoder().message(record(name, {"n": 1}))) is new
    assert type(Decoder(messages=[old]).message(record(name, {"n": 1}))) is old


def test_a_registry_refuses_contradictions() -> None:
    """One step per version, one new name per name, no circles."""
    upcasters = history()
    with pytest.raises(ValueError, match="already"):
        upcasters.register(ORDER, version=1)(dict)
    with pytest.raises(ValueError, match="already"):
        upcasters.rename("shop.Buy", "shop.Other")
    with pytest.raises(ValueError, match="circle"):
        upcasters.rename(ORDER, "shop.Buy")


EVERYTHING = st.builds(
    Everything,
    number=st.floats(allow_nan=False),
    data=st.text(max_size=5).map(str.encode),
    when=st.datetimes(timezones=st.just(UTC)),
    price=st.decimals(allow_nan=False, allow_infinity=False),
    nested=st.dictionaries(
        st.text(max_size=3),
        st.lists(st.tuples(st.integers(), st.none() | st.text(max_size=3)), max_size=2),
        max_size=2,
    ),
)
QUOTE = st.builds(Quote, price=st.floats(allow_nan=False), note=st.none() | st.text(max_size=5))


@given(EVERYTHING | QUOTE)
def test_messages_round_trip(message: Any) -> None:
    """What is written is one line, and becomes an equal message; infinities, too."""
    import json

    body = Bodies(1 << 20).encode(message)
    assert b"\n" not in body
    name = qualified_name(type(message))
    assert Decoder().message(record(name, json.loads(body))) == message
