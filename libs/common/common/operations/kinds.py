"""Every kind of operation that there is."""

from collections.abc import Mapping

from nats.aio.client import Client

from common.jobs import Jobs, job_operations
from common.media.deleting import ImageDeletion
from common.media.keeping import Keeper
from common.media.store import MediaStore
from common.messaging.letter_operations import letter_operations
from common.messaging.rails import Rails
from common.messaging.replay import DeadLetters
from common.operations.operation import Kind
from common.postgres import Database


def operation_kinds(nats: Client, database: Database, rails: Rails) -> Mapping[str, Kind]:
    """Return the kinds of operations by their names."""
    kinds: list[Kind] = [
        *letter_operations(DeadLetters(nats.jetstream(), database, rails)),
        *job_operations(Jobs(nats, database, rails)),
        ImageDeletion(database, Keeper(database, MediaStore(database, nats.jetstream()))),
    ]
    return {kind.name: kind for kind in kinds}
