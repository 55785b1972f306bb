"""The OpenAPI document: it is committed, and what it says is so."""

import asyncio
import contextlib
import os

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

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "6"))  # of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_the_committed_document_is_what_the_api_says() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "run `make contracts`"


@pytest.mark.filterwarnings("default")
async def test_no_request_that_the_document_allows_or_forbids_breaks_the_api(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    await api.http.post("/profiles", json={"name": "p"})
    authorization = str(api.http.headers["Authorization"])
    schema = schemathesis.openapi.from_dict((await api.http.get("/openapi.json")).json())
    ran = 0

    def explore() -> None:
        nonlocal ran
        for result in schema.get_all_operations():
            operation = result.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

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
                    headers = {"Authorization": authorization}
                    case.call_and_validate(base_url=api.url, headers=headers, checks=CHECKS)

                with contextlib.suppress(
                    Unsatisfiable
                ):  # an operation that takes nothing can't be given anything wrong
                    check()
            ran += 1

    await asyncio.to_thread(explore)
    assert ran > 50
