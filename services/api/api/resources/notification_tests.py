"""Tests of the notifications: do they arrive?"""

from uuid import uuid4

from pydantic import Field

from api.http.calls import Calling
from api.http.routes import resource
from api.http.values import Answer
from common.events import NotifyRequested

router = resource("notifications", write="admin")


class TestMessage(Answer):
    """A message that tests the channels."""

    fingerprint: str = Field(description="of the notification that it becomes")


@router.post("/test", status_code=202)
async def test_notifications(call: Calling) -> TestMessage:
    """Tell everybody who is told of errors that this is a test: by e-mail, by webhooks, and in the list."""
    fingerprint = f"api.test_message/{uuid4()}"
    notice = NotifyRequested(
        kind="api.test_message",
        severity="error",
        title=f"This is a test of the notifications, by {call.actor}",
        detail="Whoever reads this is told of errors. Nothing is wrong.",
        fingerprint=fingerprint,
    )
    await call.emit(notice)
    return TestMessage(fingerprint=fingerprint)
