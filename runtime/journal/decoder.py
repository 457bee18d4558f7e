"""From recorded bodies back to messages: upcast, found, validated."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from callboard.runtime.journal.errors import MessageTypeError, UpcastError
from callboard.runtime.journal.message_classes import MessageClasses
from callboard.runtime.journal.record import AcceptedRecord
from callboard.runtime.journal.upcasters import RecordedMessage, Upcasters
from callboard.runtime.message import Message


class Decoder:
    """Turns accepted records into the messages that they were.

    Args:
        upcasters: What turns older versions into today's.
        messages: Message classes that win over loaded ones of the same name.
    """

    def __init__(
        self, upcasters: Upcasters | None = None, messages: Iterable[type[Message[Any]]] = ()
    ) -> None:
        self._upcasters = upcasters or Upcasters()
        self._classes = MessageClasses(messages)
        self._adapters: dict[type, TypeAdapter[Any]] = {}

    def message(self, record: AcceptedRecord) -> Any:
        """Return the message, validated by its class.

        Raises:
            MessageTypeError: Its class is not loaded, or the runtime itself sent it.
            UpcastError: It does not fit the class, whatever the upcasters do.
        """
        recorded = RecordedMessage(name=record.message, version=record.version, body=record.body)
        if recorded.body is None:
            raise MessageTypeError(record.message)
        current = self._upcasters.apply(recorded)
        kind = self._classes.find(current.name)
        wanted: int = kind.schema_version
        if current.version != wanted:
            raise UpcastError(current.name, current.version, wanted, "no upcaster leads there")
        try:
            return self._adapter(kind).validate_json(json.dumps(current.body))
        except ValidationError as error:
            said = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}"
                for one in error.errors(include_url=False, include_input=False)
            )
            raise UpcastError(current.name, current.version, wanted, said) from None

    def _adapter(self, kind: type[Any]) -> TypeAdapter[Any]:
        if kind not in self._adapters:
            self._adapters[kind] = TypeAdapter(kind)
        return self._adapters[kind]
