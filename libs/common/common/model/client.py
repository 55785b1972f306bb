"""The client of an OpenAI-compatible endpoint, and the settings that say which."""

from openai import AsyncOpenAI
from pydantic import Field, SecretStr

from common.settings import SettingsGroup


class EndpointSettings(SettingsGroup):
    """The endpoint of the models: one for all services."""

    openai_api_key: SecretStr = Field(description="the key of the model's endpoint")
    openai_base_url: str = Field(default="https://api.openai.com/v1", description="where the endpoint is")


def create_client(settings: EndpointSettings, *, timeout: float) -> AsyncOpenAI:
    """Return the client, one for all calls: it keeps its connections. It never repeats a call, delivery does.

    `timeout` is in seconds, and bounds each read.
    """
    return AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        timeout=timeout,
        max_retries=0,
    )
