"""What every test shares: the event loops, and telemetry that nobody else sees."""

import pytest

LOOPS = [
    pytest.param(("asyncio", {}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", {}), id="trio"),
]


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run each async test on asyncio, on asyncio with uvloop, and on trio."""
    return request.param
