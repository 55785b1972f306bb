"""Quotas of model endpoints: whether a model may be asked now, and why not. Services share what they know of it."""

from pydantic import Field

from api.http.calls import Calling
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.statements import statement

router = resource("quotas")


class Quota(Answer):
    """What is known of the quota of one endpoint and key."""

    key: str = Field(description="what tells quotas apart; nothing of the endpoint's key")
    open: bool
    closed_until: Utc | None = Field(description="no call is made until then")
    reason: str | None
    low_open: bool = Field(description="for work of low priority, such as images")
    low_closed_until: Utc | None
    low_reason: str | None
    high_waits: bool = Field(description="work of high priority waits: that of low priority gives way")


class Quotas(Answer):
    """The quotas that were ever used."""

    items: list[Quota]


@router.get("")
async def list_quotas(call: Calling) -> Quotas:
    """List the quotas of models."""
    rows = await call.database.fetch(statement("spending", "quotas"))
    return Quotas(items=[Quota(**dict(row)) for row in rows])
