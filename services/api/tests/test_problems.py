"""What the API answers to what it can't do: always a problem document, never a 5xx."""

import re

import httpx
import pytest

from api.http import routes

from .conftest import Api

ZONES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?P<zone>[^\"]*)\"")


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    """The document of a problem, which has all that it should have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["type"] == f"/problems/{kind}"
    assert document["status"] == status
    assert document["instance"] == answer.request.url.raw_path.decode().partition("?")[0]
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


async def test_paths_and_methods_that_are_not_there(api: Api) -> None:
    is_problem(await api.http.get("/nothing"), 404, "not-found")
    is_problem(await api.http.get(f"{api.url}/api/"), 404, "not-found")
    is_problem(await api.http.get("/posts/00000000-0000-0000-0000-000000000000"), 404, "not-found")
    answer = await api.http.put("/sources")
    is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    is_problem(await api.http.get("/a%20bridge%0D%0AX:%20y"), 404, "not-found")


async def test_a_head_is_a_get_without_its_content(api: Api) -> None:
    for path in ("/profiles", "/openapi.json", "/nothing"):
        told, head = await api.http.get(path), await api.http.head(path)
        assert (head.status_code, head.content) == (told.status_code, b"")
        assert head.headers["content-type"] == told.headers["content-type"]
    assert (await api.http.head("/profiles", headers={"Authorization": "Bearer x"})).status_code == 401


async def test_bodies_that_are_no_json(api: Api) -> None:
    json = {"Content-Type": "application/json"}
    deep = b"[" * 200_000
    for body in (b"{", b'{"name": }', b"\xff\xfe", deep, b"1" * 5000, b"\x00"):
        is_problem(await api.http.post("/profiles", content=body, headers=json), 400, "malformed")
    for body in (b"", b"null", b"[]", b"NaN", b'"text"', b'{"name": NaN}'):
        is_problem(await api.http.post("/profiles", content=body, headers=json), 422, "invalid")
    is_problem(await api.http.post("/profiles", content=b"name=x"), 422, "invalid")


async def test_bodies_that_are_nested_deeply(api: Api) -> None:
    """Deeper than Python calls, and not as deep as its JSON parser goes."""
    json = {"Content-Type": "application/json"}
    for depth in (300, 500, 700, 900):
        for begin, end in (("[", "]"), ('{"a":', "}")):
            body = f'{{"name": "x", "keep": {begin * depth}1{end * depth}}}'
            is_problem(await api.http.post("/profiles", content=body.encode(), headers=json), 422, "invalid")


async def test_a_body_of_mistakes_is_not_answered_with_a_longer_one(api: Api) -> None:
    given = {f"field-{number}": 1 for number in range(10_000)}
    answer = await api.http.post("/profiles", json=given)
    document = is_problem(answer, 422, "invalid")
    assert str(document["detail"]).startswith("10001 problems")
    assert len(answer.content) < 10_000


async def test_what_is_referred_to_and_not_there(api: Api) -> None:
    nobody = "00000000-0000-0000-0000-000000000001"
    profile = (await api.http.post("/profiles", json={"name": "p"})).json()["id"]
    for given, what in (
        ({"profile_id": nobody}, "there is no such profile"),
        ({"profile_id": profile, "source_id": nobody}, "there is no such source"),
    ):
        answer = await api.http.post("/routes", json={"name": "r", "targets": ["telegram:@a"], **given})
        assert is_problem(answer, 422, "invalid")["detail"] == what


async def test_a_database_that_does_not_answer_is_not_waited_for_for_ever(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "ANSWER_SECONDS", 1.0)
    async with api.database.transaction() as connection:
        await connection.execute("LOCK TABLE api_tokens IN ACCESS EXCLUSIVE MODE")
        answer = await api.http.get("/profiles")
        is_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]


async def test_what_is_not_valid_is_said_with_its_place(api: Api) -> None:
    given = {"name": "", "max_length": 10**30, "keep": ["ok", 5], "colour": "red"}
    document = is_problem(await api.http.post("/profiles", json=given), 422, "invalid")
    errors = {error["pointer"]: error["detail"] for error in document["errors"]}  # type: ignore[attr-defined]
    assert set(errors) == {"/name", "/max_length", "/keep/1", "/colour"}
    document = is_problem(await api.http.get("/posts?limit=0&colour=red"), 422, "invalid")
    assert document["errors"] == [{"in": "query", "parameter": "colour", "detail": "there is no such parameter"}]
    document = is_problem(await api.http.get("/posts?limit=0"), 422, "invalid")
    assert document["errors"][0]["parameter"] == "limit"  # type: ignore[index]


async def test_text_that_can_not_be_stored(api: Api) -> None:
    json = {"Content-Type": "application/json"}
    for text in ("a\x00b", "\ud800", "\udfff\ud800"):
        escaped = "".join(f"\\u{ord(each):04x}" for each in text)
        for body in (f'{{"name": "{escaped}"}}', f'{{"name": "n", "keep": ["{escaped}"]}}', f'{{"{escaped}": 1}}'):
            is_problem(await api.http.post("/profiles", content=body.encode(), headers=json), 422, "invalid")


async def test_parameters_that_can_not_be_stored(api: Api) -> None:
    is_problem(await api.http.get("/posts?q=a%00b"), 422, "invalid")
    is_problem(await api.http.get("/destinations/telegram:%00"), 404, "not-found")
    assert (await api.http.get("/posts?q=%ff%fe")).status_code == 200
    for far in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "99999999999999999"):
        is_problem(await api.http.get(f"/posts?since={far}"), 422, "invalid")
    for cursor in ("x", "%F0%9F%98%80", "W10", "W1tdLCBbXSwgW11d", "e30"):
        is_problem(await api.http.get(f"/posts?cursor={cursor}"), 422, "invalid")


async def test_a_body_that_is_too_large(api: Api) -> None:
    ten_megabytes = b'{"name": "' + b"x" * 10_000_000 + b'"}'
    json = {"Content-Type": "application/json"}
    is_problem(await api.http.post("/profiles", content=ten_megabytes, headers=json), 413, "too-large")

    async def chunks() -> object:
        for start in range(0, len(ten_megabytes), 2**16):
            yield ten_megabytes[start : start + 2**16]

    is_problem(await api.http.post("/profiles", content=chunks(), headers=json), 413, "too-large")  # type: ignore[arg-type]
    assert (await api.http.get("/profiles")).json()["items"] == []


async def test_every_answer_has_a_request_id(api: Api) -> None:
    given = await api.http.get("/posts", headers={"X-Request-ID": "from.the-caller:1"})
    assert given.headers["x-request-id"] == "from.the-caller:1"
    for bad in ("a b", "x" * 200, '"quoted"', "<script>"):
        made = await api.http.get("/posts", headers={"X-Request-ID": bad})
        assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])
    await api.http.post("/profiles", json={"name": "p"}, headers={"X-Request-ID": "of-the-change"})
    [entry] = (await api.http.get("/audit-log?action=create_profile")).json()["items"]
    assert entry["request_id"] == "of-the-change"


async def test_times_are_utc(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    await api.publication(post, "queued")
    await api.http.patch(f"/posts/{post}", json={"text": "edited"})
    answer = await api.http.get(f"/posts/{post}")
    zones = ZONES.findall(answer.text)
    assert len(zones) >= 5
    assert set(zones) == {"Z"}


async def test_of_our_own_errors_nothing_is_told_but_the_request_id(api: Api) -> None:
    await api.database.execute("ALTER TABLE profiles RENAME TO profiles_away")
    answer = await api.http.get("/profiles")
    is_problem(answer, 500, "internal")
    assert "profiles" not in answer.json()["detail"]
