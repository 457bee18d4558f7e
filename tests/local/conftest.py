"""A tiny random model for the tests of the in-process backend; a skip where torch is absent."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from callboard.backends.local.backend import LocalBackend

NEEDED = ("torch", "transformers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `local`, visibly, where the extra is not installed."""
    if all(map(find_spec, NEEDED)):
        return
    skip = pytest.mark.skip(reason="needs the extra `local`: make test-local")
    for item in items:
        if item.get_closest_marker("local"):
            item.add_marker(skip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiny:
    """A random model, its tokenizer, and the module that makes more of them."""

    model: Any
    tokenizer: Any
    maker: Any


@pytest.fixture(scope="session")
def maker() -> Any:
    """Load the script that makes tiny models, which is a file and no module."""
    import torch

    torch.set_num_threads(1)  # several make tiny models slower, and starve the other tests
    spec = spec_from_file_location("tiny_model", Path(__file__).with_name("tiny_model.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny(maker: Any) -> Tiny:
    """Make one model for all tests; nobody changes it."""
    tokenizer = maker.make_tokenizer()
    return Tiny(model=maker.make_model(len(tokenizer)), tokenizer=tokenizer, maker=maker)


@pytest.fixture(scope="session")
def folder(maker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a tiny model where backends can load it from."""
    place = tmp_path_factory.mktemp("tiny-model")
    maker.save_tiny_model(place)
    return place


@pytest.fixture
async def backend(tiny: Tiny, anyio_backend: object) -> AsyncIterator[LocalBackend]:
    """Serve the tiny model for one test."""
    async with LocalBackend(
        tiny.model, tiny.tokenizer, model_name="tiny", max_tokens=24
    ) as backend:
        yield backend
