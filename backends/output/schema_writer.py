"""Writes JSON schemas for models to read: without the titles that pydantic makes up from names."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema


class PlainJsonSchema(GenerateJsonSchema):
    """Pydantic's generator, less the titles of fields: they repeat the names and cost tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Set no title: the property's name says it."""
        del schema
        return False
