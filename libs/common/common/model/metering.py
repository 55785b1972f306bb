"""What model calls take and cost, for Prometheus."""

from prometheus_client import CollectorRegistry

from common.telemetry import names


class ModelMetrics:
    """The metrics of model calls, by model."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tokens = names.MODEL_TOKENS.on(registry)
        self._cost = names.MODEL_COST.on(registry)
        self._seconds = names.MODEL_SECONDS.on(registry)

    def called(self, model: str, outcome: str, seconds: float) -> None:
        """Record the end of a call; `outcome` is answered, refused, or a kind of error."""
        self._seconds.labels(model, outcome).observe(seconds)

    def spent(self, model: str, prompt_tokens: int, completion_tokens: int, cost_usd: float) -> None:
        """Record what an answer cost."""
        self._tokens.labels(model, "prompt").inc(prompt_tokens)
        self._tokens.labels(model, "completion").inc(completion_tokens)
        self._cost.labels(model).inc(cost_usd)
