"""What model calls take and cost, for Prometheus."""

from prometheus_client import CollectorRegistry

from common.spending.calls import ModelCall
from common.telemetry import names


class ModelMetrics:
    """The metrics of model calls."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tokens = names.MODEL_TOKENS.on(registry)
        self._cost = names.MODEL_COST.on(registry)
        self._seconds = names.MODEL_SECONDS.on(registry)

    def called(self, call: ModelCall) -> None:
        """Record the end of a call."""
        self._seconds.labels(call.model, call.outcome).observe(call.seconds)
        route = call.purpose.route
        self._tokens.labels(route, call.model, "prompt").inc(call.prompt_tokens)
        self._tokens.labels(route, call.model, "completion").inc(call.completion_tokens)
        self._cost.labels(route, call.model).inc(call.cost_usd)
