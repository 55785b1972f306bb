"""The composition root: the whole sandbox, from its settings."""

import asyncio
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.announcement import bind, read_announcement, remembered_port, write_announcement
from sandbox.connections import HttpServer
from sandbox.demo.cast import Cast, assemble
from sandbox.demo.content import load_channel, load_feed, load_talk
from sandbox.demo.stage import stage_channel, stage_corpus, stage_feed, stage_talk
from sandbox.demo.trickle import Step, channel_step, feed_step, talk_step, trickle
from sandbox.faults import Faults
from sandbox.feeds.routes import FeedEndpoint
from sandbox.feeds.shelf import Shelf
from sandbox.model.images import ImageEndpoint
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.platforms import open_platforms
from sandbox.settings import SandboxSettings
from sandbox.telegram.chats import Chat
from sandbox.telegram.server import TelegramServer
from sandbox.telegram.store import Store
from sandbox.telegram.world import World
from sandbox.web.about import AboutApi
from sandbox.web.accounts import Accounts
from sandbox.web.application import make_application
from sandbox.web.chats import ChatsApi
from sandbox.web.faults import FaultsApi
from sandbox.web.pages import Pages, load_templates

API_ID, API_HASH = 1, "0" * 32  # any client application is welcome; these are well-formed


class Sandbox:
    """Telegram, a model, feeds, Instagram and X on two ports of this machine: `async with Sandbox(settings) as …`.

    With a state directory, chats, sessions, feeds and posts outlive it; a later start takes the same ports if it can.
    `rsa_key_pem` is Telegram's private key; without one it makes its own at the first start, which takes seconds.
    """

    def __init__(self, settings: SandboxSettings, rsa_key_pem: str | None = None) -> None:
        self.settings = settings
        self.faults = Faults()
        state = settings.state
        self.world = World(
            Store(state / "telegram.sqlite3" if state else None),
            limits=settings.limits,
            duplicates=settings.duplicates,
        )
        self.shelf = Shelf(state / "feeds.jsonl" if state else None, settings.feed_window)
        self.model = ModelEndpoint(
            Rewriter(load_phrasebooks()),
            self.faults,
            settings.model_key,
            settings.model_context_tokens,
            (*settings.models, *settings.image_models),
        )
        self.platforms = open_platforms(settings, self.faults)
        self.images = ImageEndpoint(self.faults, settings.model_key, settings.image_models, self.model.journal)
        self._telegram = TelegramServer(self.world, self.faults, str(settings.host), rsa_key_pem=rsa_key_pem)
        self._cast: Cast | None = None
        self._http: HttpServer | None = None
        self._http_port = 0
        self._trickles: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Sandbox":
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Set the scene, listen on both ports, and announce where; raises OSError where a wanted port is taken."""
        announced = read_announcement(self.settings.state)
        self._cast = assemble(self.world)
        courses = self._set_scene(self._cast)
        await self._start_telegram(self.settings.telegram_port, remembered_port(announced, "telegram"))
        listener = bind(str(self.settings.host), self.settings.http_port, remembered_port(announced, "http"))
        self._http_port = listener.getsockname()[1]
        self._http = HttpServer(self._application())
        await self._http.start(listener)
        if self.settings.state:
            write_announcement(self.settings.state, self.announcement())
        if seconds := self.settings.trickle_seconds:
            self._trickles = [asyncio.create_task(trickle(steps, seconds)) for steps in courses]

    async def stop(self) -> None:
        """Finish the requests at hand, close the connections, and let go of the files."""
        for task in self._trickles:
            task.cancel()
        await asyncio.gather(*self._trickles, return_exceptions=True)
        if self._http is not None:
            await self._http.stop()
        await self._telegram.stop()
        self.world.store.close()
        self.platforms.close()

    @property
    def url(self) -> str:
        """Where the pages, the model and the feeds are."""
        return f"http://{self.settings.host}:{self._http_port}"

    def telegram(self) -> dict[str, Any]:
        """Describe the Telegram server, its accounts and the chats that the product works on."""
        cast = self._cast
        assert cast is not None, "the sandbox has not started"
        host, port = str(self.settings.host), self._telegram.port
        accounts = [
            {
                "name": user.name,
                "kind": "bot" if user.is_bot else "user",
                "id": user.id,
                "username": user.username,
                "phone": user.phone,
                "token": user.token or None,
                "string_session": None if user.is_bot else self.world.string_session(user, host, port),
            }
            for user in (cast.collector, cast.publisher, cast.userbot, cast.editor)
        ]
        return {
            "host": host,
            "port": port,
            "dc": 2,
            "public_key_pem": self._telegram.public_key_pem,
            "api_id": API_ID,
            "api_hash": API_HASH,
            "limits": self.world.limits,
            "accounts": accounts,
            "sources": _described(cast.sources),
            "destinations": _described([cast.destination]),
            "canary": _described([cast.canary]),
            "broadcast_chats": _described(cast.broadcast_chats),
        }

    def announcement(self) -> dict[str, Any]:
        """Return what `sandbox.json` holds: all that a supervisor needs to point services here."""
        return {
            "sandbox": True,
            "pid": os.getpid(),
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "http": {"host": str(self.settings.host), "port": self._http_port, "url": self.url},
            "model": {
                "base_url": f"{self.url}/v1",
                "api_key": self.settings.model_key,
                "model": self.settings.models[0] if self.settings.models else "sandbox-writer",
                "image_model": self.settings.image_models[0],
            },
            "telegram": self.telegram(),
            "feeds": [
                {"name": feed.about.name, "title": feed.about.title, "url": f"{self.url}/feeds/{feed.about.name}"}
                for feed in self.shelf
            ],
            **self.platforms.announcement(self.url),
        }

    def _set_scene(self, cast: Cast) -> list[list[Step]]:
        """Fill the world with the corpus, or with the demo; returns the steps of the demo's trickles.

        What is posted and what people say in their chats trickle side by side. With a corpus the chats stay silent.
        """
        world = self.world
        if self.settings.corpus is not None:
            stage_corpus(world, cast, self.settings.corpus)
            stage_talk(world, cast, load_talk())
            return []
        if not self.settings.demo:
            return []
        city, science, notes, talk = load_channel("city"), load_channel("science"), load_feed("notes"), load_talk()
        posting = [channel_step(world, stage_channel(world, cast, channel), channel) for channel in (city, science)]
        stage_feed(self.shelf, notes)
        people = stage_talk(world, cast, talk)
        talking = [talk_step(world, chat, people, talk) for chat in cast.broadcast_chats]
        return [[*posting, feed_step(self.shelf, notes)], talking]

    async def _start_telegram(self, wanted: int, remembered: int) -> None:
        self._telegram.port = wanted or remembered
        try:
            await self._telegram.start()
        except OSError:
            if wanted or not remembered:
                raise
            self._telegram.port = 0
            await self._telegram.start()

    def _application(self) -> Any:
        files: Path | None = self.settings.feed_files
        about = AboutApi(self.world, self.model.journal, self.telegram, lambda: self._http_port != 0)
        templates = load_templates()
        return make_application(
            (
                self.model.routes(),
                self.images.routes(),
                FeedEndpoint(self.shelf, self.faults, files).routes(),
                ChatsApi(self.world).routes(),
                FaultsApi(self.faults).routes(),
                about.routes(),
                self.platforms.instagram.routes(),
                self.platforms.x.routes(),
                Accounts(self.platforms, templates).routes(),
                Pages(self.world, self.shelf, self.telegram, templates).routes(),
            )
        )


def _described(chats: Iterable[Chat]) -> list[dict[str, Any]]:
    return [{"id": chat.id, "username": chat.username, "title": chat.title} for chat in chats]
