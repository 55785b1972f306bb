"""The rewriter's own settings."""

from pydantic import BaseModel, ConfigDict, Field, Json

from common.messaging.queue import QueueSettings
from common.model.client import EndpointSettings
from common.service import SettingsGroup

# A run asks once per route and up to three times each, 30 s at most each time: this allows for three routes.
QUEUE_DEFAULTS = QueueSettings(
    concurrency=16,
    max_attempts=5,
    backoff_base_seconds=4.0,  # five attempts span about six minutes: an endpoint may be away that long
    timeout_seconds=300.0,
)


class Price(BaseModel):
    """What a model costs, in USD per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


def default_prices() -> dict[str, Price]:
    """Return the list prices of a few models: https://openai.com/api/pricing."""
    return {
        "gpt-4o-mini": Price(prompt=0.15, completion=0.60),
        "gpt-4.1-mini": Price(prompt=0.40, completion=1.60),
        "gpt-5-mini": Price(prompt=0.25, completion=2.00),
    }


class OpenAISettings(EndpointSettings):
    """The model: any endpoint that speaks OpenAI's chat completions with structured output."""

    openai_model: str = Field(default="gpt-4.1-mini", min_length=1, description="for profiles that name none")
    openai_timeout_seconds: float = Field(default=30.0, gt=0, description="for one call")
    openai_prices: Json[dict[str, Price]] = Field(
        default_factory=default_prices,
        validate_default=False,  # it is no JSON
        description='USD per million tokens, as JSON: {"model": {"prompt": 0.4, "completion": 1.6}}; others cost 0',
    )


class RewriterSettings(SettingsGroup):
    """What a rewrite takes into account."""

    rewrite_recent_posts: int = Field(default=5, ge=0, le=50, description="latest posts of a destination shown to it")
    rewrite_cache_seconds: float = Field(default=1.0, ge=0, description="how long routes and profiles are remembered")
