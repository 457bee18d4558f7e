"""Random numbers that satisfy a JSON schema's bounds and multiples."""

import math
from fractions import Fraction
from random import Random

from callboard.backends.schema_merge import Schema, UnsupportedSchemaError

SPAN = 1000
"""Distance of the other bound where a schema gives one, and of both from 0 where it gives none."""
ATTEMPTS = 20


def random_integer(schema: Schema, rng: Random) -> int:
    """Draw an integer, uniformly over all that satisfy the schema.

    Args:
        schema: A flat JSON schema of type integer.
        rng: Where the randomness comes from.

    Raises:
        UnsupportedSchemaError: If no integer satisfies it.
    """
    if "multipleOf" not in schema:
        return _random_factor(schema, 1, rng)
    # The integers among the multiples of p/q, in lowest terms, are the multiples of p.
    step = abs(Fraction(str(schema["multipleOf"])).numerator)
    return step * _random_factor(schema, Fraction(step), rng)


def random_number(schema: Schema, rng: Random) -> float:
    """Draw a number, uniformly over the schema's bounds.

    Args:
        schema: A flat JSON schema of type number.
        rng: Where the randomness comes from.

    Raises:
        UnsupportedSchemaError: If no number satisfies it, or none was found.
    """
    if "multipleOf" in schema:
        step = abs(Fraction(str(schema["multipleOf"])))
        return float(step * _random_factor(schema, step, rng))
    low, high = float(_lower(schema, SPAN)), float(_upper(schema, SPAN))
    excluded = (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
    for _ in range(ATTEMPTS):
        value = rng.uniform(low, high)
        if low <= value <= high and value not in excluded:
            return value
    raise _nothing(schema)


def _random_factor(schema: Schema, step: Fraction | int, rng: Random) -> int:
    """Draw an integer, uniformly over those that satisfy the bounds when multiplied by `step`."""
    span = max(SPAN, math.ceil(step))
    low, high = _lower(schema, span), _upper(schema, span)
    if step != 1:  # without a step, the bounds do as they are, and fractions cost 20 us
        low, high = Fraction(low) / step, Fraction(high) / step
    least, most = math.ceil(low), math.floor(high)
    least += least * step == schema.get("exclusiveMinimum")
    most -= most * step == schema.get("exclusiveMaximum")
    if least > most:
        raise _nothing(schema)
    return rng.randrange(least, most + 1)


def _lower(schema: Schema, span: int) -> float | Fraction:
    bounds: list[float] = [schema[key] for key in ("minimum", "exclusiveMinimum") if key in schema]
    return max(bounds) if bounds else min(-span, _upper(schema, 0) - span)


def _upper(schema: Schema, span: int) -> float | Fraction:
    bounds: list[float] = [schema[key] for key in ("maximum", "exclusiveMaximum") if key in schema]
    if bounds:
        return min(bounds)
    return (
        max(span, _lower(schema, 0) + span)
        if "minimum" in schema or "exclusiveMinimum" in schema
        else span
    )


def _nothing(schema: Schema) -> UnsupportedSchemaError:
    return UnsupportedSchemaError(f"no number satisfies {dict(schema)!r}")
