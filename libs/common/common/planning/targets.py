"""Where a post is to go, as people say it: `telegram`, `telegram:@channel`, or a platform and an address."""

import re
from collections.abc import Callable, Mapping

from common.planning.refusals import NoTarget
from common.postgres import Database, Queries
from common.telegram.addresses import NoAddress, checked

OTHER_NAMES = {"twitter": "x"}
INSTAGRAM = re.compile(r"[a-z0-9_.]{1,30}")  # https://help.instagram.com/370452623149242
X = re.compile(r"[a-z0-9_]{1,15}")  # https://help.x.com/en/managing-your-account/x-username-rules


def _account(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(address: str) -> str:
        found = address.strip().removeprefix("@").lower()
        if not pattern.fullmatch(found):
            raise NoTarget(f"{address.strip()!r} is no account name")
        return found

    return check


# How the address of each platform is checked, and written in the one way in which it is stored.
CANONICAL: Mapping[str, Callable[[str], str]] = {
    "telegram": checked,
    "instagram": _account(INSTAGRAM),
    "x": _account(X),
}
PLATFORMS = tuple(CANONICAL)


def platform_named(name: str) -> str:
    """Return a platform by its name. Raises NoTarget."""
    found = OTHER_NAMES.get(name.strip().lower(), name.strip().lower())
    if found not in CANONICAL:
        raise NoTarget(f"there is no platform {name.strip()!r}; there are {', '.join(PLATFORMS)}")
    return found


def target_of(given: str) -> str:
    """Return `platform:address` in the one way in which it is stored. Raises NoTarget."""
    name, colon, address = given.partition(":")
    platform = platform_named(name)
    if not colon or not address.strip():
        raise NoTarget(f"{given!r} names no address: give platform:address, such as telegram:@channel")
    try:
        return f"{platform}:{CANONICAL[platform](address)}"
    except NoAddress as error:
        raise NoTarget(str(error)) from None


def platform_of(target: str) -> str:
    """Return the platform of a target."""
    return target.partition(":")[0]


class Targets:
    """Knows each platform's default destination."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("common", "planning.sql")

    async def resolve(self, platform: str | None, target: str | None = None) -> str:
        """Return the target that is meant: the given one, or the platform's default destination.

        `platform` may be a whole target too, and `target` only the address. Raises NoTarget.
        """
        if target is None:
            if platform is None:
                raise NoTarget("give a platform or a target")
            return target_of(platform) if ":" in platform else await self._default(platform_named(platform))
        if platform is None:
            return target_of(target)
        name = platform_named(platform.partition(":")[0])
        if ":" not in target:
            return target_of(f"{name}:{target}")
        found = target_of(target)
        if platform_of(found) != name:
            raise NoTarget(f"{found} is not on {name}")
        return found

    async def _default(self, platform: str) -> str:
        names = [platform, *(other for other, name in OTHER_NAMES.items() if name == platform)]
        row = await self._database.fetchrow(self._sql["default_destination"], names)
        if row is None:
            raise NoTarget(f"{platform} has no default destination: name a target, or make a destination its default")
        return target_of(row["address"])
