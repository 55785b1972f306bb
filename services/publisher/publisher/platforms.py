"""The platforms that the settings give accounts of, and the paces of their destinations."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from common.events import NotifyRequested
from common.limits import Pace
from common.media.links import MediaLinks, MediaLinkSettings
from common.postgres import UNREACHABLE
from common.sends import Away, Refused, Trouble, Unanswered, Wait
from common.service import Service
from common.service.health import Check, Health, NotSetUp
from publisher.adapters.calls import Calls
from publisher.adapters.instagram import Instagram
from publisher.adapters.instagram_calls import InstagramCalls
from publisher.adapters.instagram_containers import Containers
from publisher.adapters.pictures import Gallery
from publisher.adapters.tokens import Expired, Tokens
from publisher.adapters.x import X
from publisher.adapters.x_calls import XCalls, renewing
from publisher.adapters.x_media import XMedia
from publisher.pace import Account
from publisher.ports import Platform
from publisher.settings import InstagramSettings, TelegramPublisherSettings, XSettings

log = logging.getLogger(__name__)

MorePaces = Callable[[str], Awaitable[dict[str, Pace]]]


async def _lacking(what: NotSetUp) -> str | None:
    return what


async def none(_destination: str) -> dict[str, Pace]:
    """Return no further paces."""
    return {}


async def well() -> str | None:
    """Find nothing wrong."""
    return None


@dataclass(frozen=True, slots=True)
class Registered:
    """A platform and its paces: posts per hour of a destination that has no pace of its own, and further ones.

    `account` is what all its destinations share; where there is none, each is an account of its own.
    """

    platform: Platform
    posts_per_hour: float
    account: Account | None = None
    more_paces: MorePaces = none
    problem: Check = well  # of its accounts, where there is more to know than how sends go


@dataclass(slots=True)
class Registry:
    """All platforms by name; `missing` says of the others which setting they lack."""

    found: dict[str, Registered] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, registered: Registered | str, name: str) -> None:
        """Add a platform, or what it lacks."""
        if isinstance(registered, str):
            self.missing[name] = registered
        else:
            self.found[name] = registered

    def tell(self, health: Health) -> None:
        """Let the health say of Instagram, X and so on whether they can be published to."""
        for name, registered in self.found.items():
            if registered.problem is not well:
                health.tell(name, registered.problem)
        for name, lacking in self.missing.items():
            health.tell(name, partial(_lacking, NotSetUp(lacking)))

    @property
    def platforms(self) -> dict[str, Platform]:
        """Those that can be used."""
        return {name: each.platform for name, each in self.found.items()}


async def instagram(
    settings: InstagramSettings,
    links: MediaLinkSettings,
    service: Service,
    gallery: Gallery,
    stack: AsyncExitStack,
    seconds: Callable[[], float],
) -> Registered | str:
    """Return Instagram, or what it lacks. Raises SettingsError."""
    if not settings.accounts:
        return "Instagram has no accounts here: set INSTAGRAM_ACCOUNTS"
    if links.media_url_secret is None:
        return "Instagram fetches pictures from the api: set MEDIA_URL_SECRET and API_BASE_URL, for both services"
    calls = await stack.enter_async_context(Calls.open(settings.instagram_base_url, seconds=seconds))
    tokens = Tokens(service.database, "instagram", settings.accounts, expiry_told(service, "instagram"))
    asking = InstagramCalls(calls, tokens)
    addresses = MediaLinks(links.media_url_secret.get_secret_value(), links.api_base_url)
    platform = Instagram(
        asking, Containers(asking, gallery, addresses), has_images_made="instagram" in settings.made_for
    )
    return Registered(platform, settings.instagram_posts_per_hour, problem=tokens.problem)


async def x(
    settings: XSettings, service: Service, gallery: Gallery, stack: AsyncExitStack, seconds: Callable[[], float]
) -> Registered | str:
    """Return X, or what it lacks. Raises SettingsError."""
    if not settings.accounts:
        return "X has no accounts here: set X_ACCOUNTS"
    calls = await stack.enter_async_context(Calls.open(settings.x_base_url, seconds=seconds))
    tokens = Tokens(service.database, "x", settings.accounts, expiry_told(service, "x"), renewing(calls))
    asking = XCalls(calls, tokens)
    return Registered(X(asking, XMedia(asking, gallery)), settings.x_posts_per_hour, problem=tokens.problem)


def telegram(platform: Platform, account: Account, settings: TelegramPublisherSettings) -> Registered:
    """Return Telegram with the paces of chats, groups and the bot."""

    async def more_paces(destination: str) -> dict[str, Pace]:
        grouped = {f"{destination}/group": settings.per_group} if await is_crowded(platform, destination) else {}
        return grouped | {f"{destination}/chat": settings.per_chat, account.key: settings.overall}

    return Registered(platform, settings.telegram_posts_per_hour, account, more_paces)


async def is_crowded(platform: Platform, destination: str) -> bool:
    """Tell whether a destination is a group; where the platform does not say, the stricter pace does no harm."""
    try:
        return await platform.crowded(destination.partition(":")[2])
    except Refused:  # the send will say why
        return False
    except (Away, Trouble, Unanswered, Wait):
        return True


def expiry_told(service: Service, platform: str) -> Expired:
    """Return what notifies that the access token of an account is over."""

    async def told(account: str, why: str) -> None:
        log.error("%s:%s: %s", platform, account, why)
        notice = NotifyRequested(
            kind="publisher.token_expired",
            severity="error",
            title=f"{platform}:{account} can't be published to: its access token is not taken"[:200],
            detail=f"{why}. Posts wait. Put a new token into {platform.upper()}_ACCOUNTS and restart the publisher.",
            fingerprint=f"publisher.token_expired/{platform}:{account}",
        )
        try:
            await service.emit([notice], cause=f"token/{platform}:{account}/{uuid4()}")
        except UNREACHABLE as error:  # the posts wait all the same, and the log says why
            log.warning("%s:%s: the notice could not be sent: %r", platform, account, error)

    return told
