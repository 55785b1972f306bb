"""The imagegen's own settings."""

from pydantic import BaseModel, ConfigDict, Field, Json

from common.messaging.queue import QueueSettings
from common.model.client import EndpointSettings
from common.service import SettingsGroup

# A run waits for a busy endpoint (20 s), asks once (120 s) and stores what it got (at most a minute).
QUEUE_DEFAULTS = QueueSettings(
    concurrency=4,  # a low queue: pictures share the endpoint's limits with the rewriter's texts
    max_attempts=3,
    backoff_base_seconds=9.0,  # three attempts span more than a minute: an endpoint may be away that long
    timeout_seconds=300.0,
)


class ImagePrice(BaseModel):
    """What a model costs: USD per million tokens, and per image where it does not count tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(default=0.0, ge=0)
    output: float = Field(default=0.0, ge=0)
    image: float = Field(default=0.0, ge=0)


def default_prices() -> dict[str, ImagePrice]:
    """Return the list prices of a few models: https://openai.com/api/pricing."""
    return {
        "gpt-image-1-mini": ImagePrice(input=2.00, output=8.00),
        "gpt-image-1": ImagePrice(input=5.00, output=40.00),
        "dall-e-3": ImagePrice(image=0.04),
    }


class ImageModelSettings(EndpointSettings):
    """The model that draws: any endpoint that has OpenAI's `images/generations`."""

    openai_image_model: str = Field(default="gpt-image-1-mini", min_length=1, description="the model that draws")
    openai_image_size: str = Field(default="1024x1024", pattern=r"^(auto|\d+x\d+)$", description="width x height")
    openai_image_quality: str = Field(default="", description="low, medium, high, …; empty: what the endpoint thinks")
    openai_image_timeout_seconds: float = Field(default=120.0, gt=0, description="for one image, with its download")
    openai_image_allow_private: bool = Field(
        default=False, description="fetch images from addresses in private networks too, where the endpoint names one"
    )
    openai_image_prices: Json[dict[str, ImagePrice]] = Field(
        default_factory=default_prices,
        validate_default=False,  # it is no JSON
        description='as JSON, {"model": {"input": 2, "output": 8, "image": 0}}: USD per million tokens, and per image',
    )


class SweepSettings(SettingsGroup):
    """How long images are kept that are attached to no post."""

    images_gc_seconds: float = Field(default=3_600.0, gt=0, description="between two sweeps of the object store")
    images_grace_seconds: float = Field(default=86_400.0, ge=0, description="an image that no post has is kept so long")
