"""Buttons under a bot's messages."""

import pytest
from telethon import Button, errors, events, functions

from sandbox.telegram import RpcError


@pytest.fixture
async def asking(connect, world, alice, bot):
    """A client of the bot that has asked Alice something and answers presses."""
    client = await connect(bot)

    async def answer(event):
        await event.answer(f"you chose {event.data.decode()}")
        await event.edit("done")

    client.add_event_handler(answer, events.CallbackQuery)
    world.post(bot, "/start", author=alice)
    buttons = [[Button.inline("Yes", b"yes"), Button.inline("No", b"no")]]
    await client.send_message(alice.username, "Publish?", buttons=buttons)
    return client


async def test_pressed_by_a_client(asking, connect, eventually, world, alice, bot):
    client = await connect(alice)
    question = (await client.get_messages("courier_bot"))[0]
    assert [button.text for button in question.buttons[0]] == ["Yes", "No"]
    assert (await question.click(0)).message == "you chose yes"
    await eventually(lambda: world.recent_messages(bot.id, 1, of=alice)[0].text == "done")


async def test_pressed_by_a_person_of_the_world(asking, world, alice, bot):
    question = world.recent_messages(bot.id, 1, of=alice)[0]
    assert (await world.buttons.press(alice, question, b"no")).message == "you chose no"
    with pytest.raises(RpcError, match="DATA_INVALID"):
        world.buttons.press(alice, question, b"perhaps")


async def test_nobody_waits_for_an_answer(asking):
    with pytest.raises(errors.QueryIdInvalidError):
        await asking(functions.messages.SetBotCallbackAnswerRequest(1, 0))
