"""Time that costs nothing, for the modules that say VIRTUAL_TIME = True and use no threads."""

import pytest
import trio.testing


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run each async test on asyncio, uvloop and trio; there time can jump to the next timer."""
    if request.param != "trio":
        return "asyncio", {"use_uvloop": request.param == "uvloop"}
    if not getattr(request.module, "VIRTUAL_TIME", False):
        return "trio", {}
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
