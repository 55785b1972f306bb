"""What a handler gets, and how it is found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.keys import Key
from sandbox.telegram.logins import Logins
from sandbox.telegram.peers import Peers
from sandbox.telegram.people import User
from sandbox.telegram.views import Views
from sandbox.telegram.world import World


@dataclass(frozen=True, slots=True)
class Services:
    """What all calls share."""

    world: World
    peers: Peers
    views: Views
    logins: Logins
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an account: who, with which key, over which connection (`origin`)."""

    services: Services
    account: User | None
    key: Key
    origin: object

    @property
    def user(self) -> User:
        """Who calls; 401 AUTH_KEY_UNREGISTERED if nobody is signed in."""
        if self.account is None:
            raise RpcError(401, "AUTH_KEY_UNREGISTERED")
        return self.account

    @property
    def world(self) -> World:
        """The world that is called."""
        return self.services.world

    @property
    def views(self) -> Views:
        """How things look to an account."""
        return self.services.views

    def place(self, named: Any) -> User | Chat:
        """The user or chat that a request names."""
        return self.services.peers.place(self.user, named)

    def chat(self, named: Any) -> Chat:
        """The channel or group that a request names."""
        return self.services.peers.chat(self.user, named)

    def box_of(self, place: User | Chat) -> int:
        """The box in which the caller's messages of a place lie."""
        return place.id if isinstance(place, Chat) and not place.is_group else self.user.id

    def updates(self, updates: list[Any], *concerned: int) -> Any:
        """An answer of updates."""
        return self.views.updates(self.user, updates, concerned)


Handler = Callable[[Call, Any], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and who may call it."""

    handler: Handler
    anonymous: bool
    bots: bool


class Routes(dict[type, Route]):
    """The handlers of some methods, by the class of the request."""

    def handles(self, *requests: type, anonymous: bool = False, bots: bool = True) -> Callable[[Handler], Handler]:
        """Register a handler. `anonymous`: also before sign-in; `bots=False`: 400 BOT_METHOD_INVALID for bots."""

        def register(handler: Handler) -> Handler:
            self.update(dict.fromkeys(requests, Route(handler, anonymous, bots)))
            return handler

        return register
