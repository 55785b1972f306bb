"""Making the server agree with the records: a durable of a paused queue gives no messages, any other one does.

A pause lives on the server as long as the durable: it survives restarts, and `postroom migrate`
(https://docs.nats.io/nats-concepts/jetstream/consumers#pausing-a-consumer).
"""

import logging
from datetime import UTC, datetime

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from common.contracts import Durable
from common.queues.records import Pause

log = logging.getLogger(__name__)

FOR_EVER = datetime(2200, 1, 1, tzinfo=UTC)  # the server wants an end
EXACT_SECONDS = 1.0


async def agree(stream: JetStreamContext, durable: Durable, pause: Pause | None) -> None:
    """Pause a durable on the server, or let it go on; nothing is said where it stands like that already.

    Raises what nats raises where the server is away. A durable that is missing is left to those who need it.
    """
    try:
        info = await stream.consumer_info(durable.stream, durable.name)
        if pause is None:
            if info.paused:
                log.info("%s goes on", durable.name)
                await stream.resume_consumer(durable.stream, durable.name)
            return
        until = pause.until or FOR_EVER
        ends = datetime.fromisoformat(info.config.pause_until) if info.config.pause_until else None
        if not info.paused or ends is None or abs((ends - until).total_seconds()) > EXACT_SECONDS:
            log.info("%s stands still until %s", durable.name, until)
            await stream.pause_consumer(durable.stream, durable.name, until.astimezone(UTC).isoformat())
    except NotFoundError as error:
        log.debug("%s: %r", durable.name, error)
