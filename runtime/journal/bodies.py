"""Bodies: what messages say, as JSON. pydantic writes them; nothing here or elsewhere unpickles."""

import json
import re
from typing import Any

from pydantic import PydanticUserError, TypeAdapter
from pydantic_core import PydanticSerializationError, SchemaError

from callboard.runtime.errors import JournalRefusedError


class Bodies:
    """Turns messages into JSON, and refuses at once what could not be read back.

    Args:
        limit: Bytes of JSON that a message may have.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._adapters: dict[type, TypeAdapter[Any]] = {}

    def encode(self, message: object) -> bytes:
        """Return a message as one line of JSON.

        Raises:
            JournalRefusedError: A field has no JSON form, or holds a value of another type than it
                declares, or the whole is too large.
        """
        kind = type(message)
        adapter = self._adapters.get(kind) or self._adapter(kind)
        try:
            body = adapter.dump_json(message, warnings="error")
            if b"null" in body:  # which is also what infinities and NaN became
                body = json.dumps(adapter.dump_python(message, mode="json")).encode()
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            raise JournalRefusedError(kind.__name__, f"{_problem(error)}. {_ADVICE}") from None
        if len(body) > self._limit:
            raise JournalRefusedError(
                kind.__name__,
                f"it has {len(body)} bytes of JSON, and the limit is {self._limit}. Send a "
                "reference to large data instead, or raise Journal(message_limit=...)",
            )
        return body

    def _adapter(self, kind: type[object]) -> TypeAdapter[Any]:
        try:
            adapter = self._adapters[kind] = TypeAdapter(kind)
        except (PydanticUserError, SchemaError, NameError, TypeError) as error:
            said = str(error).partition("\n")[0].rstrip(".")
            raise JournalRefusedError(kind.__name__, f"{said}. {_ADVICE}") from None
        return adapter


def _problem(error: Exception) -> str:
    """Say what is wrong with a message without a word of what it says."""
    fields = _FIELD.findall(str(error))
    if not fields:
        return str(error).partition("\n")[0].rstrip(".")
    return f"{', '.join(dict.fromkeys(fields))} has a value of another type than it declares"


_FIELD = re.compile(r"\(Expected [^\n]*?field_name='(\w+)'")
_ADVICE = "Messages of a journalled runtime hold plain data, of the types that they declare"
