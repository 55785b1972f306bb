"""What a user account meets that writes to many chats."""

import pytest
from telethon import errors, functions, types

from sandbox.telegram import World


async def test_a_group_that_became_a_supergroup(connect, world, alice, bob):
    group = world.add_channel("Talk", None, alice, "group", members=[bob])
    client = await connect(bob)
    peer = types.InputPeerChat(group.bare_id)
    await client(functions.messages.SendMessageRequest(peer, "before"))
    became = world.migrate(group)
    with pytest.raises(errors.PeerIdInvalidError):
        await client(functions.messages.SendMessageRequest(peer, "after"))
    (seen,) = (await client(functions.messages.GetChatsRequest([group.bare_id]))).chats
    assert seen.deactivated
    assert seen.migrated_to.channel_id == became.bare_id
    there = types.InputPeerChannel(seen.migrated_to.channel_id, seen.migrated_to.access_hash)
    await client(functions.messages.SendMessageRequest(there, "after"))
    assert [message.text for message in world.messages(became.id)] == ["after"]
    with pytest.raises(ValueError, match="no basic group any more"):
        world.migrate(group)


async def test_it_stays_so_after_a_restart(world, store, alice, bob):
    group = world.add_channel("Talk", None, alice, "group", members=[bob])
    became = world.migrate(group)
    again = World(store)
    assert again.find_chat(group.id).became == became.id
    assert again.find_chat(became.id).roles == {alice.id: "admin", bob.id: "member"}


async def test_a_forward_is_made_once_for_each_random_id(connect, world, alice, bob, news):
    talk = world.add_channel("Talk", "talk", alice, "megagroup", members=[bob])
    first = world.post(news, "read this")
    client = await connect(bob)
    source, target = await client.get_input_entity("newsroom"), await client.get_input_entity("talk")
    request = functions.messages.ForwardMessagesRequest(source, [first.id], target, random_id=[42])
    answers = [await client(request), await client(request)]
    ids = [update.id for answer in answers for update in answer.updates if isinstance(update, types.UpdateMessageID)]
    assert ids == [1, 1]
    assert world.message_count(talk.id) == 1


async def test_a_chat_of_which_one_is_no_member(connect, world, alice, bob):
    world.add_channel("Open", "open_talk", alice, "megagroup")
    world.add_channel("News", "read_only", alice, members=[bob])
    muted = world.add_channel("Muted", "muted_talk", alice, "megagroup", members=[bob])
    world.mute(muted, bob)
    client = await connect(bob)
    for name, refusal in {
        "open_talk": errors.ChatWriteForbiddenError,
        "read_only": errors.ChatAdminRequiredError,
        "muted_talk": errors.UserBannedInChannelError,
    }.items():
        with pytest.raises(refusal):
            await client.send_message(name, "hello")
