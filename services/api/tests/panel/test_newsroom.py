"""The newsroom of the tests is one that could be: its records are balanced, and every state has posts."""

from common.testing.newsroom import Newsroom

from ..conftest import Api


async def test_the_newsroom_could_be(api: Api, newsroom: Newsroom) -> None:
    rows = await api.database.fetch("SELECT state, array_agg(post_id) AS posts FROM post_states GROUP BY state")
    found = {row["state"]: set(row["posts"]) for row in rows}
    expected = {state: set(posts) for state, posts in newsroom.posts.items()}
    expected["awaiting"] |= expected.pop("unknown")  # whether it was published, a person finds out
    assert found == expected
    for number in newsroom.letters:
        letter = (await api.http.get(f"/dead-letters/{number}")).json()
        assert letter["payload"]["post_id"] == letter["post_id"]
    groups = (await api.http.get("/dead-letters/groups")).json()["items"]
    assert sorted(group["count"] for group in groups) == [1, 3]
    for path in ("alerts", "broadcasts", "chats", "budgets", "images", "logs", "auto-posting/rules", "scheduled-posts"):
        assert (await api.http.get(f"/{path}")).json()["items"], path
