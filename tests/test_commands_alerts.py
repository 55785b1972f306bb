"""`postroom alerts`, on servers without services."""

from typing import Any

from common.postgres import Database

ALERT = (
    "INSERT INTO alerts (fingerprint, kind, severity, title, detail, count, status, resolved_at, notification_id)"
    " VALUES ($1, 'queue_failures', 'error', $2, 'why', 7, $3, CASE WHEN $3 = 'resolved' THEN now() END,"
    " gen_random_uuid())"
)


async def test_alerts_are_listed_shown_and_acknowledged(connected: Any, database: Database) -> None:
    assert connected.command("alerts").stdout == "No alerts.\n"
    await database.execute(ALERT, "queue_failures/a", "it was wrong", "resolved")
    await database.execute(ALERT, "queue_failures/a", "it is wrong", "firing")
    [firing] = connected.said("alerts")
    assert (firing["title"], firing["count"], firing["status"]) == ("it is wrong", 7, "firing")
    assert [each["status"] for each in connected.said("alerts", "--all")] == ["firing", "resolved"]
    assert "error: it is wrong" in connected.command("alerts").stdout
    assert "ERROR: it is wrong\nwhy\n" in connected.command("alerts", "show", firing["id"][:8]).stdout
    seen = connected.said("alerts", "acknowledge", firing["id"][:8])
    assert (seen["status"], seen["acknowledged_by"][:3]) == ("firing", "cli")
    [line] = await database.fetch("SELECT actor, action, object FROM audit_log")
    assert (line["actor"], line["action"]) == (seen["acknowledged_by"], "acknowledge_alert")
    assert line["object"] == f"/api/v1/alerts/{firing['id']}/acknowledge"
    refused = connected.command("alerts", "show", "ffffffff", check=False)
    assert (refused.returncode, refused.stderr) == (1, "postroom: there is no alert ffffffff\n")
