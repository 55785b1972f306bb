"""Buttons under a bot's messages, pressed and answered (https://core.telegram.org/api/bots/buttons#callback-queries)."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.errors import RpcError
from sandbox.telegram.messages import Message, Messages
from sandbox.telegram.people import People, User
from sandbox.telegram.wire import tl

ANSWER_SECONDS = 10.0  # then BOT_RESPONSE_TIMEOUT


@dataclass(frozen=True, slots=True)
class Press:
    """A user pressed a button of a bot's message; `message` is the bot's copy of it."""

    query_id: int
    user: User
    bot: User
    message: Message
    data: bytes


class Buttons:
    """The presses that wait for the bot's answer."""

    def __init__(self, people: People, mail: Messages) -> None:
        self._people = people
        self._mail = mail
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._listeners: list[Callable[[Press], None]] = []

    def listen(self, listener: Callable[[Press], None]) -> Callable[[], None]:
        """Call back with every press; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def press(self, user: User, message: Message, data: bytes) -> "asyncio.Future[Any]":
        """Press the button with this data; the future gives the bot's BotCallbackAnswer.

        Raises 400 DATA_INVALID if there is no such button, and the future 400 BOT_RESPONSE_TIMEOUT after ten seconds.
        """
        bot = self._people.get(message.sender_id)
        if bot is None or not bot.is_bot or data not in _data_of(message):
            raise RpcError.bad_request("DATA_INVALID")
        loop = asyncio.get_running_loop()
        query_id, answer = secrets.randbits(62), loop.create_future()
        self._waiting[query_id] = answer
        timer = loop.call_later(ANSWER_SECONDS, self._give_up, query_id)
        answer.add_done_callback(lambda _: timer.cancel())
        bots_copy = message if message.box < 0 else self._mail.copy_of(message, bot)
        for listener in tuple(self._listeners):
            listener(Press(query_id, user, bot, bots_copy, data))
        return answer

    def answer(self, query_id: int, answer: Any) -> None:
        """Give the bot's answer, or raise 400 QUERY_ID_INVALID if nobody waits for it (any more)."""
        waiting = self._waiting.pop(query_id, None)
        if waiting is None or waiting.done():
            raise RpcError.bad_request("QUERY_ID_INVALID")
        waiting.set_result(answer)

    def _give_up(self, query_id: int) -> None:
        waiting = self._waiting.pop(query_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_exception(RpcError.bad_request("BOT_RESPONSE_TIMEOUT"))


def _data_of(message: Message) -> set[bytes]:
    markup = message.tl_markup()
    rows = markup.rows if isinstance(markup, tl.ReplyInlineMarkup) else []
    kinds = [button.type for row in rows for button in row.buttons]
    return {kind.data for kind in kinds if isinstance(kind, tl.InlineButtonTypeCallback)}
