"""Writes JSON schemas for models to read: no titles made up from names, decimals as numbers."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema


class PlainJsonSchema(GenerateJsonSchema):
    """Pydantic's generator, less what only costs tokens or misleads.

    The titles of fields repeat their names. A Decimal would be a number or any string at all,
    where no bound holds for the string; asked for a number, a model writes one.
    """

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Set no title: the property's name says it."""
        del schema
        return False

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        """Describe a Decimal as a number, which is validated without loss all the same."""
        written = super().decimal_schema(schema)
        if "anyOf" not in written:
            return written
        return next(branch for branch in written["anyOf"] if branch.get("type") == "number")
