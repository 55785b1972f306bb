"""The events that webhooks can be told."""

from typing import get_args

from api.webhooks.events import Told

EVENTS: tuple[str, ...] = get_args(Told)
