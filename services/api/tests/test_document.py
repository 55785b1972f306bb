"""The OpenAPI document: it is committed, and what it says is so."""

import asyncio
import contextlib
import gc
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.openapi import FILE, document

from .conftest import Api

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))  # of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_the_committed_document_is_what_the_api_says() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "run `make contracts`"


@dataclass(frozen=True)
class Known:
    """Ids that something has, by the names of path parameters."""

    ids: dict[str, str]

    def of(self, path: str) -> dict[str, str]:
        """Those that a path asks for."""
        return {name: value for name, value in self.ids.items() if f"{{{name}}}" in path}


async def furnished(api: Api) -> Known:
    """One of everything."""

    async def created(noun: str, **given: Any) -> str:
        answer = await api.http.post(f"/{noun}", json=given)
        assert answer.status_code < 300, answer.text
        return str(answer.json().get("id"))

    post = await api.post()
    await api.held(post)
    await api.publication(post, "queued")
    await api.database.execute(
        "INSERT INTO notifications (fingerprint, kind, severity, title) VALUES ('a', 'k.a', 'error', 'A')"
    )
    profile = await created("profiles", name="p")
    broadcast = await created("broadcasts", text="hello", target_chat_ids=["@some_chat"])
    await api.database.execute(
        "INSERT INTO userbot_tasks (id, text, target_chat_ids) VALUES ($1, 'hello', '{@some_chat}')", broadcast
    )
    brief = {"title": "a bridge"}
    rule = {
        "name": "daily",
        "schedule_type": "daily",
        "schedule_config": {"times": ["12:00"]},
        "content_config": brief,
        "platforms": ["telegram:@city"],
    }
    letter = await api.database.strict.fetchval(
        "INSERT INTO dead_letters (consumer, event_id, queue, stream, sequence, subject, attempts, error_class, error,"
        " fingerprint) VALUES ('c', 'e', 'q', 's', 1, 'notify.requested', 1, 'Reject', 'no', 'f') RETURNING number"
    )
    return Known(
        {
            "number": str(letter),
            "operation_id": await created("operations", kind="jobs.cancel", filter={"queue": "none"}),
            "content_id": await created("content/create", **brief),
            "rule_id": await created("auto-posting/rules", **rule),
            "post_id": str(post),
            "profile_id": profile,
            "source_id": await created("sources", kind="feed", address="https://a.example/feed"),
            "route_id": await created("routes", name="r", profile_id=profile, targets=["telegram:@a"]),
            "webhook_id": await created("webhooks", url="https://a.example/", events=["publish.result"]),
            "broadcast_id": broadcast,
            "scheduled_id": await created(
                "scheduled-posts", post_id=str(post), target="telegram:@planned", scheduled_time="2100-01-01T00:00:00Z"
            ),
            "notification_id": (await api.http.get("/notifications")).json()["items"][0]["id"],
        }
    )


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "known_ids", [pytest.param(False, id="any id", marks=pytest.mark.soak), pytest.param(True, id="known ids")]
)
async def test_no_request_that_the_document_allows_or_forbids_breaks_the_api(api: Api, known_ids: bool) -> None:
    known = await furnished(api)
    authorization = str(api.http.headers["Authorization"])
    schema = schemathesis.openapi.from_dict((await api.http.get("/openapi.json")).json())
    ran: Counter[str] = Counter()

    def explore(operation: Any, mode: GenerationMode) -> None:
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            if known_ids:
                case.path_parameters.update(known.of(operation.path))
            answer = case.call_and_validate(
                base_url=api.url, headers={"Authorization": authorization}, checks=CHECKS, timeout=20
            )
            ran[f"{answer.status_code // 100}xx"] += 1

        with contextlib.suppress(Unsatisfiable):  # what takes nothing can't be given anything wrong
            check()

    def explore_all() -> None:
        for result in schema.get_all_operations():
            operation = result.ok()
            if known_ids and (operation.method == "delete" or not known.of(operation.path)):
                continue
            if (operation.method, operation.path) == ("get", "/api/v1/events"):  # an answer without an end
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                explore(operation, mode)

    await asyncio.to_thread(explore_all)
    gc.collect()  # the explorer closes no connections: that is to be warned of here, not in the next test
    assert ran["2xx"] > 20, ran
    assert ran["4xx"] > 50, ran
