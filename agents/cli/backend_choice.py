"""Chooses the backend that a command runs on, from its options and the environment.

Flags go before `CALLBOARD_*`, and those before `OPENAI_*`. The key itself is never an option,
because command lines are seen by everybody on the machine.
"""

import os
import sys
from collections.abc import Mapping

from callboard.agents.cli.errors import UsageError
from callboard.backends.backend import Backend

KEY_VARIABLES = ("CALLBOARD_API_KEY", "OPENAI_API_KEY")
"""Where a key is looked for, in this order, unless `--api-key-env` names another variable."""
ENDPOINT_VARIABLES = ("OPENAI_BASE_URL", *KEY_VARIABLES)
"""What a machine that is set up for an endpoint has set."""


def choose_backend(
    *,
    base_url: str | None = None,
    model: str | None = None,
    api_key_env: str | None = None,
    local: str | None = None,
    seed: int = 0,
    environment: Mapping[str, str] | None = None,
) -> Backend:
    """Return the backend that the options ask for; with none of them, a RandomBackend.

    `OPENAI_BASE_URL` and the keys alone choose nothing: a model's name does, so that a machine set
    up for some endpoint still runs the demonstration offline. A line on stderr says so.

    Args:
        base_url: An OpenAI-compatible endpoint; else `CALLBOARD_BASE_URL`, else `OPENAI_BASE_URL`.
        model: The model's name there; else `CALLBOARD_MODEL`.
        api_key_env: Names the environment variable that holds the key.
        local: Folder of a transformers model to run in this process; else `CALLBOARD_LOCAL`,
            unless an endpoint is given.
        seed: What the RandomBackend draws from.
        environment: Read instead of `os.environ`.

    Raises:
        UsageError: If the options contradict each other, or one is missing.
        AuthenticationError: If the endpoint is not a local one, and there is no key.
        MissingExtraError: If a local model is asked for and torch or transformers is missing.
        NotFoundError: If there is no model in the folder.
        CapabilityError: If the local model's tokenizer has no chat template.
        BackendError: If transformers can't read the folder.
    """
    variables = os.environ if environment is None else environment
    if local and (base_url or model):
        raise UsageError("--local runs the model in this process: leave out --base-url and --model")
    url = base_url or variables.get("CALLBOARD_BASE_URL")
    name = model or (None if local else variables.get("CALLBOARD_MODEL"))
    path = local or (None if url or name else variables.get("CALLBOARD_LOCAL"))
    if path:
        return _local(path)
    if name:
        return _endpoint(url or variables.get("OPENAI_BASE_URL"), name, api_key_env, variables)
    if url:
        raise UsageError(
            f"which model at {url}? Add --model NAME (or set CALLBOARD_MODEL); most servers list "
            f"theirs at {url.rstrip('/')}/models"
        )
    return _random(seed, passed_over=next(filter(variables.get, ENDPOINT_VARIABLES), None))


def _endpoint(
    url: str | None, model: str, api_key_env: str | None, variables: Mapping[str, str]
) -> Backend:
    if url is not None and not url.startswith(("http://", "https://")):
        raise UsageError(f"--base-url starts with http:// or https://, got {url!r}")
    key = _key(api_key_env, variables)
    if url is None and key is None:
        raise UsageError(
            f"where is the model {model!r}? Add --base-url http://HOST:PORT/v1 for an endpoint of "
            "your own, or set OPENAI_API_KEY for OpenAI's; without --model, answers are random and "
            "need neither"
        )
    from callboard.backends.openai_backend import OpenAIBackend  # noqa: PLC0415 - only where used

    return OpenAIBackend(model, base_url=url, api_key=key)


def _key(named: str | None, variables: Mapping[str, str]) -> str | None:
    if named is None:
        return next((variables[name] for name in KEY_VARIABLES if variables.get(name)), None)
    if not variables.get(named):
        raise UsageError(f"--api-key-env names {named}, which is not set in the environment")
    return variables[named]


def _local(path: str) -> Backend:
    from callboard.backends.local.backend import LocalBackend  # noqa: PLC0415 - only where used

    return LocalBackend.from_path(path)


def _random(seed: int, *, passed_over: str | None) -> Backend:
    from callboard.backends.random_backend import RandomBackend  # noqa: PLC0415 - only where used

    if passed_over:
        sys.stderr.write(
            f"callboard: {passed_over} is set, but no model is named: answers are random and "
            "offline. Add --model NAME to ask a model.\n"
        )
    return RandomBackend(seed=seed)
