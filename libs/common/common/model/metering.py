"""What model calls take and cost, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from common.telemetry import names

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)


class ModelMetrics:
    """The metrics of model calls, by model."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tokens = Counter(*names.MODEL_TOKENS, ("model", "kind"), registry=registry)
        self._cost = Counter(*names.MODEL_COST, ("model",), registry=registry)
        self._seconds = Histogram(*names.MODEL_SECONDS, ("model", "outcome"), registry=registry, buckets=SECONDS)

    def called(self, model: str, outcome: str, seconds: float) -> None:
        """Record the end of a call; `outcome` is answered, refused, or a kind of error."""
        self._seconds.labels(model, outcome).observe(seconds)

    def spent(self, model: str, prompt_tokens: int, completion_tokens: int, cost_usd: float) -> None:
        """Record what an answer cost."""
        self._tokens.labels(model, "prompt").inc(prompt_tokens)
        self._tokens.labels(model, "completion").inc(completion_tokens)
        self._cost.labels(model).inc(cost_usd)
