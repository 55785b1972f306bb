"""Pressing the buttons of bots, and answering as a bot."""

from typing import Any

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Routes
from sandbox.telegram.handlers.messages import own_message
from sandbox.telegram.wire import fn, tl

routes = Routes()


@routes.handles(fn.messages.GetBotCallbackAnswerRequest, bots=False)
def press_button(call: Call, request: Any) -> Any:
    """Press a button; the answer comes when the bot gave it."""
    place = call.place(request.peer)
    if isinstance(place, Chat) and not place.has(call.user):
        raise RpcError.bad_request("CHANNEL_PRIVATE")
    message = own_message(call, place, request.msg_id)
    return call.world.buttons.press(call.user, message, request.data or b"")


@routes.handles(fn.messages.SetBotCallbackAnswerRequest)
def answer_press(call: Call, request: Any) -> Any:
    """Answer a press, as the bot."""
    if not call.user.is_bot:
        raise RpcError.bad_request("USER_BOT_REQUIRED")
    answer = tl.messages.BotCallbackAnswer(
        request.cache_time, alert=request.alert, message=request.message, url=request.url
    )
    call.world.buttons.answer(request.query_id, answer)
    return True
