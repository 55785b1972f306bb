"""What the system is connected to, and whether that works."""

from pydantic import Field

from api.connections import State, connections
from api.http.calls import Calling
from api.http.routes import resource
from api.http.values import Answer, Utc

router = resource("connections", read="admin")


class Connection(Answer):
    """A connection."""

    name: str
    state: State = Field(description="unset: left out by choice; silent: the service that would know does not run")
    said: str = Field(description="what the service found")
    service: str
    settings: list[str] = Field(description="the variables that it needs")
    optional: bool
    well: bool = Field(description="whether it works, or is left out by choice")
    at: Utc | None = Field(description="when it was looked at")


class Replica(Answer):
    """One process of a service."""

    service: str
    address: str = Field(description="of its health endpoint")
    version: str
    started_at: Utc
    beat_at: Utc
    state: State
    detail: str


class ConnectionReport(Answer):
    """All of them."""

    well: bool = Field(description="whether whatever is set up works")
    connections: list[Connection]
    replicas: list[Replica]
    versions: dict[str, str] = Field(description="of the servers")


@router.get("")
async def get_connections(call: Calling) -> ConnectionReport:
    """Tell how the connections are: database, NATS, the models' endpoint, accounts."""
    found = await connections(call.system.database, call.system.nats)
    return ConnectionReport.model_validate(found, from_attributes=True)
