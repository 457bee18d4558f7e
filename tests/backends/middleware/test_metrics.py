"""Metrics: the conventions' histograms, measured around each call."""

import pickle
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from callboard.backends.completion import Completion
from callboard.backends.default_stack import default_stack
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.identity import Identity
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.metrics import Metrics
from callboard.backends.middleware.retry import Retry
from callboard.backends.request import Request
from callboard.backends.stack import stack
from callboard.backends.usage import Usage

pytestmark = pytest.mark.anyio

WHO = Identity(provider="host", model="m")


class Meters:
    """A meter provider of its own, and what it has measured."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)

    def points(self, name: str) -> list[HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, HistogramDataPoint)
        ]


def failing_once() -> FunctionBackend:
    failures = iter([OverloadedError("down")])

    def function(_: Request[Any]) -> Any:
        for error in failures:
            raise error
        return Completion[None](
            message=AssistantMessage("hi"), usage=Usage(input=10, output=4), model="m-2026"
        )

    return FunctionBackend(function)


async def test_each_attempt_is_measured_with_its_error() -> None:
    """By provider, asked and answering model, and what went wrong."""
    meters = Meters()
    backend = stack(failing_once(), Retry(1, base=0), Metrics(WHO, meter_provider=meters.provider))
    await backend.generate(Request("x"))
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "host",
        "gen_ai.request.model": "m",
    }
    failed, answered = meters.points("gen_ai.client.operation.duration")
    assert dict(failed.attributes or {}) == common | {"error.type": "OverloadedError"}
    assert dict(answered.attributes or {}) == common | {"gen_ai.response.model": "m-2026"}
    assert answered.explicit_bounds[:3] == (0.01, 0.02, 0.04)
    tokens = {
        (point.attributes or {})["gen_ai.token.type"]: point.sum
        for point in meters.points("gen_ai.client.token.usage")
    }
    assert tokens == {"input": 10, "output": 4}


async def test_the_default_stack_measures_when_it_is_given_a_provider() -> None:
    """And has no such layer otherwise."""
    meters = Meters()
    backend = default_stack(failing_once(), retry=Retry(1, base=0), meter_provider=meters.provider)
    await backend.generate(Request("x"))
    assert sum(point.count for point in meters.points("gen_ai.client.operation.duration")) == 2
    assert not any(isinstance(layer, Metrics) for layer in default_stack(failing_once()).middleware)


def test_it_pickles_with_its_names() -> None:
    """A copy speaks to the provider of its own process."""
    assert pickle.loads(pickle.dumps(Metrics(WHO))).identity == WHO
