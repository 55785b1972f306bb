"""`python -m common.contracts.generate [--check]`: what follows from subjects.yaml and the event models.

Writes the JSON Schema of every event, and an AsyncAPI 3 document per service. They are made from the contracts, not by
FastStream, because events leave through the outbox, where FastStream does not see them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from common.contracts.generated import stale, write_or_check
from common.contracts.topology import Topology, topology
from common.events import EVENTS, Event

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
ASYNCAPI = HERE / "asyncapi"
EXAMPLES = HERE / "examples"
WRITTEN_BY_HAND = "postroom"  # a producer that is no service: the command line


def schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event's payload."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"postroom:{event.wire_name()}",
        **event.model_json_schema(mode="validation"),
    }


def asyncapi(service: str, contracts: Topology) -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of a service: what it receives and what it sends.

    https://www.asyncapi.com/docs/reference/specification/v3.0.0
    """
    events = {event.subject: event for event in EVENTS}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for subject, contract in contracts.subjects.items():
        if subject not in events:
            continue
        receives = [consumer for consumer in contract.consumers if consumer.service == service]
        sends = service in contract.producers
        if not receives and not sends:
            continue
        name = events[subject].wire_name()
        messages[name] = {
            "name": f"postroom.{name}",
            "contentType": "application/json",
            "payload": {"$ref": f"../schemas/{name}.json"},
        }
        channels[subject] = {"address": subject, "messages": {name: {"$ref": f"#/components/messages/{name}"}}}
        for consumer in receives:
            operations[f"receive {subject} ({consumer.durable})"] = _operation("receive", subject)
        if sends:
            operations[f"send {subject}"] = _operation("send", subject)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Postroom {service}", "version": "1"},
        "servers": {"nats": {"host": "nats:4222", "protocol": "nats"}},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _operation(action: str, subject: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{subject}"}}


def services(contracts: Topology) -> list[str]:
    """Return the services that the contracts name."""
    consumers = {durable.service for durable in contracts.durables()}
    producers = {name for contract in contracts.subjects.values() for name in contract.producers}
    return sorted((consumers | producers) - {"nats", WRITTEN_BY_HAND})


def generated() -> dict[Path, str]:
    """Return every generated file with its contents."""
    contracts = topology()
    files = {
        SCHEMAS / f"{event.wire_name()}.json": json.dumps(schema(event), indent=2, ensure_ascii=False) + "\n"
        for event in EVENTS
    }
    for service in services(contracts):
        document = yaml.safe_dump(asyncapi(service, contracts), sort_keys=False, allow_unicode=True)
        files[ASYNCAPI / f"{service}.yaml"] = document
    return files


def present() -> set[Path]:
    """Return the files that lie where generated files are written."""
    return {*SCHEMAS.glob("*.json"), *ASYNCAPI.glob("*.yaml")}


def drift() -> list[str]:
    """Return the generated files that are missing, stale or left over."""
    return stale(generated(), present())


def main() -> int:
    """Write the files, or with --check only say whether they are what they should be."""
    what = "schemas and AsyncAPI documents from the contracts"
    return write_or_check(generated(), what=what, source="the contracts say", present=present())


if __name__ == "__main__":
    sys.exit(main())
