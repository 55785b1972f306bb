"""The OpenAPI document: what FastAPI says, and what holds for every operation."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from api.http import problems

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{kind}" for kind in problems.KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "detail"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie"]},
                    "pointer": {"type": "string", "description": "a JSON pointer into the body"},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
ANSWER = {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
ERRORS = {
    "4XX": {"description": "What is wrong with the request"} | ANSWER,
    "503": {"description": "A part of the system can't be reached"} | ANSWER,
}
DESCRIPTION = """\
Everything that operators configure, see and decide in Postroom. docs/api.md is the guide.

Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem documents. Lists are paged by `cursor`.
A POST with an `Idempotency-Key` may be repeated for 24 hours. Single resources have an `ETag`, and changes honour
`If-Match`. Times are UTC.
"""
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "the same key and body: the same answer, and one effect",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21\x23-\x7e]+$"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of the version that is changed",
    "schema": {"type": "string"},
}


def described(app: FastAPI) -> dict[str, Any]:
    """Return the document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    scopes = {
        (context.path_format, method): context.original_route.scope_of(method)
        for context in iter_route_contexts(app.routes)
        if hasattr(context.original_route, "scope_of")
        for method in context.methods or ()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(operation, method, scopes[path, method.upper()])
    return document


def _describe(operation: dict[str, Any], method: str, scope: str) -> None:
    operation["responses"].pop("422", None)
    operation["responses"] |= ERRORS
    # Since OpenAPI 3.1 any scheme may name roles: https://spec.openapis.org/oas/v3.1.0#security-requirement-object
    operation["security"] = [{"token": [scope]}]
    parameters = operation.setdefault("parameters", [])
    if method == "post":
        parameters.append(IDEMPOTENCY_KEY)
    if method in ("put", "patch", "delete"):
        parameters.append(IF_MATCH)
    if not parameters:
        del operation["parameters"]
