"""Text that would be SQL, HTML, a header or a path somewhere else: here it is text."""

from typing import Any
from urllib.parse import quote

from .conftest import Api

TEXTS = (
    "'; DROP TABLE posts; --",
    "1' OR '1'='1",
    "$1::text",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\r\nSet-Cookie: x=1\r\n\r\n<html>",
    "../../etc/passwd",
    "{{7*7}} ${7*7} %s %n",
    "\u202edesrever\u2066 😀👨‍👩‍👧",
)


async def test_text_in_every_field_comes_back_as_it_is(api: Api) -> None:
    profile = (await api.http.post("/profiles", json={"name": "p"})).json()
    source = (await api.http.post("/sources", json={"kind": "import", "address": "s"})).json()
    post = await api.post()
    for number, text in enumerate(TEXTS):
        given: dict[str, dict[str, Any]] = {
            "sources": {"kind": "feed", "address": text.strip(), "title": text},
            "profiles": {
                "name": text.strip(),
                "style": text,
                "language": text[:35],
                "keep": [text],
                "instructions": text,
                "model": text,
            },
            "destinations": {"address": f"telegram:@{number}", "title": text},
            "routes": {
                "name": text.strip(),
                "source_id": source["id"],
                "profile_id": profile["id"],
                "targets": ["telegram:@a"],
                "broadcast": {"chats": [text], "delay_seconds": 0, "forward": False},
            },
            "webhooks": {"url": "https://a.example/", "description": text, "events": ["publish.result"]},
        }
        for noun, body in given.items():
            answer = await api.http.post(f"/{noun}", json=body)
            assert answer.status_code == 201, (noun, text, answer.text)
            assert "set-cookie" not in answer.headers
            read = (await api.http.get(answer.headers["location"].removeprefix("/api/v1"))).json()
            assert {name: read[name] for name in body} == body, (noun, text)
        marked = {"text": text, "entities": [], "title": text}
        edit = (await api.http.patch(f"/posts/{post}", json=marked)).json()["edits"][-1]
        assert (edit["text"], edit["title"]) == (text.strip(), text)
        for path in ("/posts?q=", "/jobs?queue=", "/notifications?kind=", "/audit-log?actor="):
            name = path.rpartition("?")[2].rstrip("=")
            assert (await api.http.get(path.partition("?")[0], params={name: text})).status_code == 200
        part = quote(text, safe="")
        for path in (f"/destinations/{part}", f"/jobs/{part}/{part}", f"/chats/{part}", f"/sources/{part}"):
            assert (await api.http.get(path)).status_code in (404, 422), path
        key = await api.http.post("/profiles", json={"name": f"k{number}"}, headers={"X-Request-ID": "a; b"})
        assert key.headers["x-request-id"] != "a; b"
    assert (await api.http.get(f"/posts/{post}")).status_code == 200
