"""One holder per session: what happens when it goes, dies, or loses its lease."""

import asyncio
from uuid import uuid4

import pytest

from common.leases import Leases
from common.postgres import Database
from common.telegram.health import NoSession, SessionDead, SessionUnavailable
from common.telegram.holding import HeldSession, NotHeld
from common.testing.waiting import eventually
from sandbox.faults import Fault

TTL = 1.0  # seconds


def hold(telegram, database, **given):
    return HeldSession("reader", Leases(database, uuid4(), ttl=TTL), telegram.open, **given)


async def started(session):
    task = asyncio.create_task(session.run())

    async def held():
        return session.held and session.problem is None

    await eventually(held)
    return task


async def stopped(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_only_the_holder_may_work(telegram, database):
    first, second = hold(telegram, database), hold(telegram, database)
    task = await started(first)
    stand_by = asyncio.create_task(second.run())
    _, me = await first.client()
    assert me.id == telegram.reader.id
    with pytest.raises(NotHeld):
        await second.client()
    await stopped(task)  # in order: nobody has to wait for the lease's end

    async def taken_over():
        return second.held and second.problem is None

    await eventually(taken_over)
    with pytest.raises(NotHeld):
        await first.client()
    await stopped(stand_by)


async def test_a_holder_without_its_lease_disconnects_before_a_stand_by_connects(telegram, database, database_url):
    """Two connections of one session at once would end it: the sandbox answers AUTH_KEY_DUPLICATED."""
    async with Database.connect(database_url) as lost:
        first, second = hold(telegram, lost), hold(telegram, database)
        task = await started(first)
        client, _ = await first.client()
        stand_by = asyncio.create_task(second.run())
        lost.lax.terminate()
        gone = asyncio.get_running_loop().create_future()
        client.disconnected.add_done_callback(lambda _: gone.set_result(second.held))
        assert await gone is False

        async def taken_over():
            return second.held and second.problem is None

        await eventually(taken_over)
        await second.client()
        await stopped(task)
        await stopped(stand_by)


async def test_every_connect_is_told(telegram, database):
    connects = []

    async def connected(_client, _me):
        connects.append(1)

    session = hold(telegram, database, connected=connected)
    task = await started(session)
    assert len(connects) == 1
    telegram.faults.add(Fault(where="telegram:users.GetUsers", kind="drop"))
    await session.client()
    assert len(connects) == 2
    await stopped(task)


async def test_a_death_is_told_once_and_a_new_session_is_taken_up(telegram, database):
    deaths = []

    async def died(why):
        deaths.append(why)

    session = hold(telegram, database, died=died, dead_pause=0.05)
    task = await started(session)
    telegram.world.revoke_sessions(telegram.reader)
    with pytest.raises(SessionDead, match="SESSION_REVOKED"):
        await session.client()
    await session.client()  # somebody has signed in anew: the sandbox made a new key of the same name
    assert len(deaths) == 1
    await stopped(task)


async def test_a_session_that_is_revoked_while_nobody_works_with_it_is_noticed(telegram, database):
    deaths = []

    async def died(why):
        deaths.append(why)

    session = hold(telegram, database, died=died, check_every=0.2)
    task = await started(session)
    telegram.world.revoke_sessions(telegram.reader)

    async def noticed():
        return deaths

    await eventually(noticed)
    assert session.problem
    assert "the session is dead" in session.problem
    await stopped(task)


async def test_a_session_that_stays_dead_is_told_once(telegram, database):
    dead, opened, deaths = telegram.session, [], []
    telegram.world.revoke_sessions(telegram.reader)

    async def died(why):
        deaths.append(why)

    async def open_dead():
        opened.append(1)
        return await telegram.open(dead)

    session = HeldSession("reader", Leases(database, uuid4(), ttl=TTL), open_dead, died=died, dead_pause=0.01)
    task = asyncio.create_task(session.run())

    async def tried_often():
        return len(opened) > 3

    await eventually(tried_often)
    with pytest.raises(SessionDead, match="SESSION_REVOKED"):
        await session.client()
    assert len(deaths) == 1
    assert session.problem.startswith("the session is dead: SESSION_REVOKED")
    await stopped(task)


async def test_three_reconnects_that_fail_end_the_job_and_not_the_holder(telegram, database):
    session = hold(telegram, database)
    task = await started(session)
    telegram.faults.add(Fault(where="telegram:users.GetUsers", kind="drop", times=4))
    with pytest.raises(SessionUnavailable, match="3 reconnects failed"):
        await session.client()

    async def back():
        return session.problem is None

    await eventually(back)
    await session.client()
    await stopped(task)


async def test_no_session_at_all_is_no_death_to_log(database, caplog):
    async def open_none():
        raise NoSession("nobody has signed in")

    session = HeldSession("nobody", Leases(database, uuid4(), ttl=TTL), open_none, dead_pause=0.01)
    task = asyncio.create_task(session.run())

    async def told():
        return session.problem == "nobody has signed in"

    await eventually(told)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    await stopped(task)
