"""Removes secrets from text that is about to be logged, traced or raised."""

import re

MASK = "[redacted]"

_SECRETS = re.compile(
    r"""
    (?P<scheme>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}       # Authorization: Bearer xyz
  | (?P<name>["']?\b
        (?:api[-_]?key|authorization|x-api-key|azure_ad_token|access_token|password|secret)
        ["']?\s*[:=]\s*["']?)(?!\s)(?!(?:bearer|basic)\s)[^\s"',}]{6,}   # api_key: xyz
  | \b(?:sk|pk|rk|xai|gsk|hf|ghp)[-_][A-Za-z0-9_-]{6,}              # keys that name themselves
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redact(text: str) -> str:
    """Return the text with keys, bearer tokens and named secrets replaced by `[redacted]`.

    Args:
        text: Anything that may quote a header, a body or a configuration.
    """
    return _SECRETS.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    return (found["scheme"] or found["name"] or "") + MASK
