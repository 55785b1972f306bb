"""Operations on the command line, where no service runs: it carries them out itself."""

from typing import Any
from uuid import UUID

from nats.aio.client import Client

from common.messaging.rails import Rails
from common.operations import Operations
from common.operations.kinds import operation_kinds
from common.postgres import Database

LETTERS = """
INSERT INTO dead_letters
    (consumer, event_id, queue, stream, sequence, subject, attempts, error_class, error, fingerprint)
SELECT 'publisher', n::text, 'publish_queue', 'PUBLISH', n, 'publish.requested', 5, 'Reject', 'Reject: never', 'f'
FROM generate_series(1, 3) AS n
"""


async def test_an_operation_is_carried_out_and_looked_at(connected: Any, database: Database) -> None:
    await database.execute(LETTERS)
    assert connected.command("dead", "discard", "--error-class", "Reject", "--dry-run").stdout == (
        "3 dead letters match.\n"
    )
    unsure = connected.command("dead", "discard", "--all", stdin="n\n", check=False)
    assert (unsure.returncode, "Delete 3 dead letters for good?" in unsure.stderr) == (1, True)
    assert connected.command("dead", "replay", "--all").stdout == "0 dead letters replayed, 3 refused.\n"
    done = connected.said("dead", "discard", "--consumer", "publisher", "--reason", "old", "--yes")
    assert (done["discarded"], done["refused"]) == (3, 0)

    discard, replay = connected.said("operations", "list")
    assert (discard["id"], discard["filter"], discard["reason"]) == (
        done["operation"],
        {"consumer": "publisher"},
        "old",
    )
    assert discard["created_by"].startswith("cli")
    assert {refusal["reason"] for refusal in replay["refusals"]} == {"its letter is not kept any more"}
    shown = connected.command("operations", "show", replay["id"]).stdout
    assert "status       done" in shown
    assert shown.count("its letter is not kept any more") == 3
    assert connected.refusal("operations", "cancel", replay["id"]) == "postroom: it is done already"
    assert connected.refusal("operations", "show", str(UUID(int=1))).startswith("postroom: there is no operation")


async def test_an_operation_that_nobody_has_begun_is_cancelled(
    connected: Any, database: Database, nats_client: Client
) -> None:
    rails = Rails(nats_client.jetstream(), database)
    started = await Operations(database, operation_kinds(nats_client, database, rails)).start(
        "dead_letters.discard", {}, by="cli:me"
    )
    rails.close()
    assert (
        connected.command("operations", "cancel", str(started.id)).stdout == f"Operation {started.id} is cancelled.\n"
    )
    [found] = connected.said("operations", "list", "--status", "cancelled")
    assert found["cancelled_by"].startswith("cli")
    line = await database.fetchrow("SELECT * FROM audit_log")
    assert line
    assert (line["action"], line["object"]) == ("cancel_operation", f"/api/v1/operations/{started.id}/cancel")
