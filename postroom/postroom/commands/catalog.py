"""`postroom catalog`: sources, profiles, destinations and routes, from a TOML file."""

import tomllib
from collections.abc import Container
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import typer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.catalog import TARGET, Catalog, RouteBroadcast
from common.events.broadcasting import ChatAddress
from common.planning.schedules import CronText
from common.planning.slots import Slots
from common.telegram.addresses import checked
from postroom.connections import connected
from postroom.output import Json, Refused, counted, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="Sources, profiles, destinations and routes.")


MOST_DELAY_SECONDS = 365 * 86_400.0

Target = Annotated[str, Field(pattern=TARGET)]


class Entry(BaseModel):
    """A table of the file. What it does not know is refused, so that a misspelt key does not go unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceEntry(Entry):
    """[[source]]"""

    kind: Literal["telegram", "feed"]
    address: str = Field(min_length=1)
    title: str = ""
    schedule: CronText | None = None
    allow_private: bool = False


class ProfileEntry(Entry):
    """[[profile]]"""

    name: str = Field(min_length=1)
    style: str = ""
    language: str = ""
    max_length: int = Field(default=4096, ge=16, le=4096)
    keep: list[str] = ["links", "facts", "quotes"]
    instructions: str = ""
    model: str = ""


class DestinationEntry(Entry):
    """[[destination]]"""

    address: Target
    title: str = ""
    posts_per_hour: int | None = Field(default=None, ge=1)
    is_default: bool = False


class BroadcastEntry(Entry):
    """[route.broadcast]; without chats those of TARGET_CHAT_IDS."""

    chats: list[Annotated[ChatAddress, AfterValidator(checked)]] = []
    delay_seconds: float = Field(default=0.0, ge=0, le=MOST_DELAY_SECONDS)
    forward: bool = False


class RouteEntry(Entry):
    """[[route]]; `source` is an address of the file or the catalog, or left out for every source."""

    name: str = Field(min_length=1)
    source: str | None = None
    profile: str
    targets: list[Target] = Field(min_length=1)
    approval: bool = False
    illustrate: bool = False
    image_required: bool = False
    broadcast: BroadcastEntry | None = None
    slots: Slots | None = None
    approval_expires_hours: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _requires_what_is_asked_for(self) -> Self:
        if self.image_required and not self.illustrate:
            raise ValueError("image_required goes with illustrate = true")
        return self


class CatalogFile(Entry):
    """The whole file."""

    source: list[SourceEntry] = []
    profile: list[ProfileEntry] = []
    destination: list[DestinationEntry] = []
    route: list[RouteEntry] = []


@app.command()
def apply(
    file: Annotated[
        Path, typer.Argument(help="A TOML file; docs/catalog.md explains it.", exists=True, dir_okay=False)
    ],
    as_json: Json = False,
) -> None:
    """Add what the file names, and update what is there under the same name or address. Nothing is deleted."""
    counts = run(lambda: _apply(file))
    if as_json:
        print_json(counts)
        return
    typer.echo(", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items()))


@app.command()
def show(as_json: Json = False) -> None:
    """Show sources and their routes."""

    async def find() -> list[dict[str, Any]]:
        async with connected() as system:
            catalog = Catalog(system.database)
            return [
                {
                    "kind": source.kind,
                    "address": source.address,
                    "title": source.title,
                    "schedule": source.schedule,
                    "routes": [
                        {
                            "name": route.name,
                            "targets": route.targets,
                            "approval": route.approval,
                            "illustrate": route.illustrate,
                            "image_required": route.image_required,
                            "broadcast": route.broadcast.to_json() if route.broadcast else None,
                            "slots": route.slots,
                            "approval_expires_hours": route.approval_expires_hours,
                        }
                        for route in await catalog.routes_of(source.id)
                    ],
                }
                for source in await catalog.sources()
            ]

    found = run(find)
    if as_json:
        print_json(found)
        return
    print_table(
        ("Source", "Kind", "Schedule", "Routes"),
        (
            (
                source["address"],
                source["kind"],
                source["schedule"],
                "; ".join(map(_route, source["routes"])) or "NONE",
            )
            for source in found
        ),
    )


def _route(route: dict[str, Any]) -> str:
    """Return a route in one line: where it leads, and what else it does."""
    does = ["approval"] * route["approval"] + ["illustrate"] * route["illustrate"]
    does += ["image_required"] * route["image_required"] + ["slots"] * bool(route["slots"])
    if broadcast := route["broadcast"]:
        does.append(f"broadcast to {_chats(broadcast['chats'])}")
    return f"{route['name']} → {' '.join(route['targets'])}" + (f" ({', '.join(does)})" if does else "")


def _chats(chats: list[str]) -> str:
    return (chats[0] if len(chats) == 1 else f"{len(chats)} chats") if chats else "TARGET_CHAT_IDS"


def _broadcast(entry: BroadcastEntry | None) -> RouteBroadcast | None:
    if entry is None:
        return None
    return RouteBroadcast(tuple(dict.fromkeys(entry.chats)), entry.delay_seconds, entry.forward)


def _read(file: Path) -> CatalogFile:
    try:
        return CatalogFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{file}: {error}") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{_place(each['loc'])}: {_said(each['type'], each['msg'])}" for each in error.errors(include_url=False)
        )
        raise Refused(f"{file}: {problems}") from None


def _said(kind: str, message: str) -> str:
    """Return what is wrong in words that need no knowledge of Pydantic."""
    return "there is no such key" if kind == "extra_forbidden" else message.removeprefix("Value error, ")


def _place(loc: tuple[int | str, ...]) -> str:
    """Return where a problem is, as one counts in the file: `source 1 address`."""
    return " ".join(str(part + 1) if isinstance(part, int) else part for part in loc)


def _check(file: Path, contents: CatalogFile, known: Container[str]) -> None:
    """Refuse routes that lead from or through what is not there, before anything is written."""
    profiles = {profile.name for profile in contents.profile}
    sources = {source.address for source in contents.source}
    for route in contents.route:
        if route.profile not in profiles:
            raise Refused(f"{file}: route {route.name}: the file has no profile {route.profile}")
        if route.source is not None and route.source not in sources and route.source not in known:
            raise Refused(f"{file}: route {route.name}: there is no source {route.source}")


async def _apply(file: Path) -> dict[str, int]:
    contents = _read(file)
    async with connected() as system:
        catalog = Catalog(system.database)
        sources = {source.address: source.id for source in await catalog.sources()}
        _check(file, contents, sources)
        for source in contents.source:
            sources[source.address] = await catalog.put_source(**source.model_dump())
        profiles = {
            profile.name: await catalog.put_profile(**profile.model_dump(), by=person()) for profile in contents.profile
        }
        for destination in contents.destination:
            await catalog.put_destination(**destination.model_dump())
        for route in contents.route:
            await catalog.put_route(
                route.name,
                profile_id=profiles[route.profile],
                targets=route.targets,
                source_id=sources[route.source] if route.source else None,
                approval=route.approval,
                illustrate=route.illustrate,
                image_required=route.image_required,
                broadcast=_broadcast(route.broadcast),
                slots=route.slots.model_dump() if route.slots else None,
                approval_expires_hours=route.approval_expires_hours,
            )
    return {
        "sources": len(contents.source),
        "profiles": len(contents.profile),
        "destinations": len(contents.destination),
        "routes": len(contents.route),
    }
