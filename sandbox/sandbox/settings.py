"""What can be set about the sandbox: from the environment (`SANDBOX_…`) or the command line (`--…`)."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]
Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,30}$")]


class SandboxSettings(BaseSettings):
    """The outside world in miniature: Telegram, a model, feeds, Instagram and X."""

    model_config = SettingsConfigDict(
        env_prefix="SANDBOX_",
        cli_prog_name="python -m sandbox",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_implicit_flags=True,
        cli_avoid_json=True,
    )

    host: IPv4Address = Field(
        IPv4Address("127.0.0.1"), description="where to listen; the sandbox has no sign-in, so think before changing it"
    )
    http_port: Port = Field(0, description="port of the pages, the model and the feeds; 0: last time's, or a free one")
    telegram_port: Port = Field(0, description="port of Telegram; 0: last time's, or a free one")
    state: Path | None = Field(None, description="directory that keeps everything across restarts; none: in memory")
    limits: Literal["real", "off"] = Field("real", description="whether the platforms' rate limits are enforced")
    duplicates: Literal["repeat", "error"] = Field(
        "repeat", description="answer to a repeated random_id: the first message again, or RANDOM_ID_DUPLICATE"
    )
    demo: bool = Field(True, description="start with the demo's channels and feed")
    trickle_seconds: float = Field(5.0, ge=0, description="time between new demo posts; 0: none")
    corpus: Path | None = Field(None, description="directory whose *.jsonl files become channels, instead of the demo")
    feed_files: Path | None = Field(None, description="directory served as it is at /feeds/files/")
    feed_window: int = Field(100, ge=1, description="how many items a feed shows")
    model_key: str = Field("sk-sandbox", min_length=1, description="the API key that the model endpoint accepts")
    model_context_tokens: int = Field(128_000, ge=1, description="longest prompt that the model takes, in tokens")
    models: tuple[str, ...] = Field(
        ("sandbox-writer", "gpt-5-mini", "gpt-4.1-mini", "gpt-4o-mini"),
        description="names listed by /v1/models; completions accept any name",
    )
    image_models: tuple[str, ...] = Field(
        (
            "sandbox-painter",
            "gpt-image-2",
            "gpt-image-1.5",
            "gpt-image-1",
            "gpt-image-1-mini",
            "dall-e-3",
            "dall-e-2",
        ),
        min_length=1,
        description="models that draw; others are refused. The first is announced",
    )
    instagram_accounts: tuple[Username, ...] = Field(("postroom_demo",), description="usernames on Instagram")
    instagram_quota: int = Field(100, ge=1, description="posts that an Instagram account may publish in 24 hours")
    instagram_processing_seconds: float = Field(
        1.0, ge=0, description="how long an Instagram container is in progress before it can be published"
    )
    x_accounts: tuple[Username, ...] = Field(("postroom_demo",), description="usernames on X")
    x_posts: int = Field(300, ge=1, description="posts that an account on X may create within x_posts_seconds")
    x_posts_seconds: int = Field(3 * 60 * 60, ge=1, description="how long the window of x_posts is, in seconds")
    x_processing_seconds: float = Field(1.0, ge=0, description="how long X processes a video or an animated GIF")
