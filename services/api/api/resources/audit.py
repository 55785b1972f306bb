"""The audit log: who changed what."""

from typing import Annotated, Any

from fastapi import Query

from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.statements import statement

router = resource("audit-log", read="admin")

Word = Annotated[str | None, Query(max_length=300)]


class Entry(Answer):
    """One change."""

    id: int
    at: Utc
    actor: str
    action: str
    object: str
    before: Any
    after: Any
    request_id: str | None


@router.get("")
async def list_audit_log(page: Paged, actor: Word = None, action: Word = None, object: Word = None) -> Page[Entry]:  # noqa: A002
    """List changes."""
    return await page.of(Entry, statement("records", "list_audit"), actor, action, object)
