"""Every kind of operation that there is."""

from collections.abc import Mapping

from common.messaging.rails import Rails
from common.operations.operation import Kind
from common.postgres import Database


def operation_kinds(database: Database, rails: Rails) -> Mapping[str, Kind]:  # noqa: ARG001
    """Return the kinds of operations by their names."""
    kinds: list[Kind] = []
    return {kind.name: kind for kind in kinds}
