"""What does not start says so in one line that names what is wrong, with the exit code that docs/cli.md promises."""

import asyncio
import json
from typing import Any

import asyncpg

from common.testing.waiting import eventually
from postroom.stack.stack import SERVICES

AWAY = {"DATABASE_URL": "postgresql://postgres@127.0.0.1:1/postroom", "NATS_URL": "nats://127.0.0.1:1"}


async def test_wrong_settings(place: Any, service_settings: Any) -> None:
    servers = {
        "DATABASE_URL": service_settings.database_url.get_secret_value(),
        "NATS_URL": service_settings.nats_url.get_secret_value(),
    }

    async def refusal(**settings: str) -> str:
        found = await asyncio.to_thread(place.refusal, "run", "rewriter", code=2, **(servers | settings))
        assert found.startswith("rewriter: ")
        return str(found.removeprefix("rewriter: "))

    key = {"OPENAI_API_KEY": "sk-test"}
    assert (await refusal()).startswith("OPENAI_API_KEY is not set")
    assert (await refusal(OPENAI_API_KEY="")).startswith("OPENAI_API_KEY is not set")
    assert (await refusal(**key, DATABASE_URL="")).startswith("DATABASE_URL is not set")
    assert await refusal(**key, DATABASE_URL="localhost") == "DATABASE_URL: it must begin with postgresql://"
    assert await refusal(**key, REWRITE_QUEUE_CONCURRENCY="-1") == (
        "REWRITE_QUEUE_CONCURRENCY: input should be greater than or equal to 1, not '-1'"
    )
    assert (await refusal(**key, REWRITE_QUEUE_CONCURRENCY="many")).startswith(
        "REWRITE_QUEUE_CONCURRENCY: input should be a valid integer"
    )
    assert (await refusal(**key, OPENAI_TIMEOUT_SECONDS="soon")).startswith("OPENAI_TIMEOUT_SECONDS: ")


def test_every_service_names_what_it_lacks(place: Any) -> None:
    for service, variable in (
        ("api", "DATABASE_URL"), ("scheduler", "DATABASE_URL"), ("collector", "DATABASE_URL"),
        ("publisher", "TELEGRAM_BOT_TOKEN"), ("rewriter", "OPENAI_API_KEY"), ("imagegen", "OPENAI_API_KEY"),
        ("userbot", "TELEGRAM_API_ID"),
    ):  # fmt: skip
        settings = {} if variable == "DATABASE_URL" else AWAY
        assert place.refusal("run", service, code=2, **settings).startswith(f"{service}: {variable} is not set")
    done = place.command("run", "nonsense", check=False)
    assert done.returncode == 2
    assert "nonsense is not a service" in done.stderr


async def test_a_database_that_is_not_migrated_and_migrate(place: Any, postgres: Any, nats_server: Any) -> None:
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute("CREATE DATABASE unmigrated")
    url = postgres.dsn_of("unmigrated")
    servers = {"DATABASE_URL": url, "NATS_URL": nats_server.url}
    try:
        empty = "the database is empty: run `postroom migrate`"
        assert place.refusal("run", "rewriter", code=3, OPENAI_API_KEY="sk-test", **servers) == f"rewriter: {empty}"
        assert place.refusal("status", code=3, **servers) == f"postroom: {empty}"

        # Its name is wrong, or its streams are missing.
        wrong = servers | {"DATABASE_URL": postgres.dsn_of("nothing")}
        assert place.refusal("status", code=4, **wrong) == (
            'postroom: PostgreSQL can\'t be reached: database "nothing" does not exist'
        )
        assert place.refusal("run", "api", code=4, **wrong) == (
            'api: PostgreSQL can\'t be reached: database "nothing" does not exist'
        )
        first = json.loads(place.command("migrate", "--json", **servers).stdout)
        assert "0001_delivery" in first["migrations"]
        assert {"POSTS", "PUBLISH", "DEADLETTER", "publisher"} <= set(first["streams_and_durables"])
        assert place.command("migrate", **servers).stdout == (
            "database: up to date\nstreams and durables: up to date\n"
        )
        assert json.loads(place.command("status", "--json", **servers).stdout)["services"] == []
        assert "No service beats." in place.command("status", **servers).stdout
    finally:
        await admin.execute("DROP DATABASE unmigrated WITH (FORCE)")
        await admin.close()


async def test_servers_that_are_away(place: Any, service_settings: Any) -> None:
    half = {"DATABASE_URL": service_settings.database_url.get_secret_value(), "NATS_URL": AWAY["NATS_URL"]}

    async def refusal(*command: str, **settings: str) -> str:
        return str(await asyncio.to_thread(place.refusal, *command, code=4, **settings))

    for command in ("status", "migrate"):
        expected = "NATS" if command == "status" else "PostgreSQL"
        assert (await refusal(command, **AWAY)).startswith(f"postroom: {expected} can't be reached: [Errno")
        assert (await refusal(command, **half)).startswith("postroom: NATS can't be reached: [Errno")
    assert (await refusal("run", "api", **AWAY)).startswith("api: PostgreSQL can't be reached: [Errno")
    done = await asyncio.to_thread(place.command, "run", "api", check=False, **half)
    assert done.returncode == 4
    [line] = done.stderr.splitlines()
    assert line.startswith("api: NATS can't be reached: ")
    assert all(json.loads(logged)["level"] == "warning" for logged in done.stdout.splitlines())


def test_up_refuses_what_it_cannot_do_before_it_starts(place: Any) -> None:
    (place.directory / "file").touch()
    for arguments, problem in (
        (("--services", "collector,nonsense"), "nonsense is not a service"),
        (("--services", ""), "it names none"),
        (("--report", "file/report.json"), "can't be written"),
        (("--corpus", "nowhere"), "does not exist"),
    ):
        done = place.command("up", *arguments, check=False)
        assert done.returncode == 2
        assert problem in " ".join(done.stderr.replace("│", " ").split())
    assert not (place.directory / ".postroom").exists()


async def test_two_stacks_that_start_at_once_do_not_meet(place: Any) -> None:
    """And all services in one process run the demo."""
    async with place.up("--single-process") as one:
        await eventually(lambda: asyncio.sleep(0, (place.directory / ".postroom" / "lock").exists()))
        refusal = await asyncio.to_thread(place.refusal, "up", "--data", "elsewhere")
        assert refusal.startswith("postroom: a stack runs here already")
        sandbox = await one.sandbox()

        async def published() -> bool:
            chats = (await sandbox.get("/api/chats")).json()
            [channel] = [chat for chat in chats if chat["username"] == "postroom_demo"]
            return len((await sandbox.get(f"/api/chats/{channel['id']}/messages")).json()) >= 3

        assert await eventually(published, within=60), one.log()
        pids = one.description["pids"]
        assert set(pids) == {"nats", "postgres", "sandbox", "postroom.stack.together"}
        await sandbox.aclose()
        status = json.loads((await asyncio.to_thread(place.command, "status", "--json")).stdout)
        assert len(status["services"]) == len(SERVICES)
    assert one.process.returncode == 0
