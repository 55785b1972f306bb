"""`postroom chats`, on servers without services."""

from typing import Any

from common.catalog import Catalog, RouteBroadcast
from common.postgres import Database


def shown(connected: Any) -> dict[str, tuple[str, int, bool]]:
    """Title, least number of messages and whether it is enabled, of each chat."""
    rows = connected.said("chats", "list")
    return {row["address"]: (row["title"], row["min_messages_between"], row["enabled"]) for row in rows}


async def test_chats_are_added_and_changed(connected: Any, database: Database) -> None:
    assert connected.command("chats", "list").stdout.startswith("No chats.")
    added = connected.said("chats", "add", "-1001234567890", "https://t.me/City_Chat", "@city_chat")
    assert added == {"added": 2, "updated": 0, "repeated": 1}
    assert shown(connected) == {"-1001234567890": ("", 0, True), "@city_chat": ("", 0, True)}
    await database.execute("UPDATE chats SET flag = 'forbidden', messages_since_post = 7 WHERE address = '@city_chat'")
    done = connected.command("chats", "add", "@CITY_chat", "--title", "Our city", "--min-messages", "5")
    assert done.stdout == "0 added, 1 updated, 0 repeated\n"
    connected.said("chats", "add", "@city_chat", "--disabled")
    assert shown(connected)["@city_chat"] == ("Our city", 5, False)
    [row] = [row for row in connected.said("chats", "list") if row["address"] == "@city_chat"]
    assert (row["flag"], row["messages_since_post"]) == ("forbidden", 7)  # what the userbot has learnt stays
    human = connected.command("chats", "list").stdout
    assert "Our city" in human
    assert "forbidden" in human


def test_what_is_no_chat_is_refused(connected: Any) -> None:
    for wrong in ("https://t.me/+AbCdEf", "a b", "0", "@x"):
        done = connected.command("chats", "add", "@right", wrong, check=False)
        assert done.returncode == 2
        assert "is no chat" in " ".join(done.stderr.split())
    done = connected.command("chats", "add", "@one", "@two", "--title", "Both", check=False)
    assert done.returncode == 2
    assert shown(connected) == {}


def test_a_list_is_imported_whole_or_not_at_all(connected: Any) -> None:
    plain = connected.directory / "plain.txt"
    plain.write_text("# our chats\n@first\n\n-1001\nhttps://t.me/first\n")
    assert connected.said("chats", "import", "plain.txt") == {"added": 2, "updated": 0, "repeated": 1}

    table = connected.directory / "chats.csv"
    table.write_bytes(
        'title;Address;min_messages\r\nПервый чат;@First;3\r\n"Two; or more";@second;\r\n'.encode("utf-8-sig")
    )
    assert connected.said("chats", "import", "chats.csv") == {"added": 1, "updated": 1, "repeated": 0}
    assert shown(connected) == {
        "-1001": ("", 0, True), "@first": ("Первый чат", 3, True), "@second": ("Two; or more", 0, True),
    }  # fmt: skip

    table.write_text("@third,Third,many\n@fourth\nnot a chat,,\n")
    refusal = connected.refusal("chats", "import", "chats.csv")
    assert refusal.startswith("postroom: chats.csv: nothing was taken: line 1: min_messages is 'many'")
    assert "; line 3: 'not a chat' is no chat" in refusal
    table.write_text("nowhere at all,,many\n")  # all that is wrong with a line is named at once
    refusal = connected.refusal("chats", "import", "chats.csv")
    assert "line 1: 'nowhere at all' is no chat" in refusal
    assert ", and min_messages is 'many'" in refusal
    assert len(shown(connected)) == 3
    for words in ("Title,Link\nFourth,https://t.me/fourth\n", "username\n@fourth\n"):  # are no chats @title, @username
        table.write_text(words)
        assert "is no chat: write @" in connected.refusal("chats", "import", "chats.csv")
    assert len(shown(connected)) == 3
    for contents, problem in ((b"\xff\xfe", "it is not UTF-8"), (b"# nothing\n", "it names no chat")):
        plain.write_bytes(contents)
        assert problem in connected.refusal("chats", "import", "plain.txt")


async def test_chats_are_deleted_where_nothing_refers_to_them(connected: Any, database: Database) -> None:
    connected.said("chats", "add", "@free", "@routed", "@told", "-1001234567890")
    catalog = Catalog(database)
    source, profile = await catalog.put_source("import", "archive"), await catalog.put_profile("newsroom")
    await catalog.put_route(
        "The route",
        source_id=source,
        profile_id=profile,
        targets=["telegram:@x"],
        broadcast=RouteBroadcast(("@routed",)),
    )
    await database.execute("INSERT INTO userbot_tasks (text, target_chat_ids) VALUES ('Hello', '{@told}')")

    assert connected.refusal("chats", "delete", "@free", "@unknown") == "postroom: @unknown: no such chat is listed"
    assert connected.refusal("chats", "disable", "@free", "@unknown") == "postroom: @unknown: no such chat is listed"
    assert {enabled for _, _, enabled in shown(connected).values()} == {True}  # all or none
    assert connected.command("chats", "delete", "a b", check=False).returncode == 2

    said = connected.command("chats", "delete", "https://t.me/Free", "@routed", "@told", "-1001234567890").stdout
    assert said.splitlines() == [
        "@free is deleted.",
        "@routed is not deleted but disabled: route The route broadcasts to it.",
        "@told is not deleted but disabled: 1 broadcast names it.",
        "-1001234567890 is deleted.",
    ]
    assert shown(connected) == {"@routed": ("", 0, False), "@told": ("", 0, False)}
    assert connected.said("chats", "delete", "@told") == {"deleted": [], "disabled": {"@told": "1 broadcast names it"}}


def test_chats_are_disabled_and_listed_all_the_same(connected: Any) -> None:
    connected.said("chats", "add", "@first", "@second")
    done = connected.command("chats", "disable", "@First").stdout
    assert done == "@first is disabled: nothing is sent there.\n"
    first, second = sorted(connected.command("chats", "list").stdout.splitlines()[1:])
    assert "NO" in first.split()
    assert "NO" not in second.split()
    assert connected.said("chats", "disable", "@first") == {"disabled": ["@first"]}  # again is no error
