"""ResponseFormat: the form that the server itself is to hold the answer to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFormat:
    """What a backend asks its server for: JSON of one schema, or any JSON object.

    The StructuredOutput middleware chooses it from the backend's capabilities and the request's
    `output`. A backend sends it and does no more: the answer is validated by the middleware.
    """

    kind: Literal["json_schema", "json_object"]
    """`json_schema`: the server enforces `schema`. `json_object`: JSON, of whatever shape."""
    name: str = "output"
    """What the schema is called, as servers of `json_schema` require: letters, digits, `_`, `-`."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema; needed for `json_schema`, and not sent for `json_object`."""
    strict: bool = True
    """Whether the server shall enforce the schema to the letter; sent as it is."""

    def __post_init__(self) -> None:
        """Refuse a schema format without a schema.

        Raises:
            ValueError: If `kind` is `json_schema` and there is no schema.
        """
        if self.kind == "json_schema" and self.schema is None:
            raise ValueError("a response format of kind json_schema needs a schema")
