"""The settings of queues, in layers: what was changed at run time, over the environment, over the defaults."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError, create_model
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from common.contracts import Topology
from common.messaging.queue import QueueSettings
from common.settings import SettingsGroup, load_settings

Origin = Literal["default", "environment", "changed"]
FIELDS: tuple[str, ...] = tuple(QueueSettings.model_fields)
OF_A_QUEUE = re.compile(rf"([a-z]\w*_queue)_(?:{'|'.join(FIELDS)})", re.IGNORECASE)


class NoSuchQueue(Exception):
    """There is no queue of this name; the message says which there are."""


class WrongSetting(Exception):
    """A setting can't be changed like this; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that was changed at run time, `rewrite_queue.concurrency`, who did and why."""

    name: str
    value: Any
    reason: str
    changed_by: str
    changed_at: datetime

    @property
    def queue(self) -> str:
        """Whose setting it is."""
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        """Which setting of its queue."""
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Layers:
    """What holds for a queue where nothing was changed at run time, and what of it is from the environment."""

    base: QueueSettings
    given: frozenset[str] = frozenset()

    def under(self, changes: Mapping[str, Any]) -> tuple[QueueSettings, dict[str, Origin]]:
        """Return what holds with these changes, and where each setting is from. A change that is wrong is left out."""
        taken: dict[str, Any] = {}
        for field, value in changes.items():
            try:
                taken |= checked("", {field: value})
            except WrongSetting:  # of another release, whose bounds were others
                continue
        origins: dict[str, Origin] = {
            field: "changed" if field in taken else "environment" if field in self.given else "default"
            for field in FIELDS
        }
        return self.base.model_copy(update=taken), origins


def layers(queue: str, defaults: QueueSettings | None = None) -> Layers:
    """Read `<QUEUE>_CONCURRENCY`, `<QUEUE>_MAX_ATTEMPTS` and so on over a service's defaults. Raises SettingsError."""
    base = defaults or QueueSettings()
    fields: dict[str, Any] = {}
    for name, field in QueueSettings.model_fields.items():
        copied = copy(field)
        copied.default = getattr(base, name)
        fields[name] = (field.annotation, copied)

    class Prefixed(SettingsGroup):
        model_config = SettingsConfigDict(env_prefix=f"{queue.upper()}_", allow_inf_nan=False)

    group = create_model(f"{queue}_settings", __base__=Prefixed, **fields)
    found: SettingsGroup = load_settings(group)
    return Layers(QueueSettings.model_validate(found.model_dump()), frozenset(found.model_fields_set))


def misnamed(contracts: Topology) -> str | None:
    """Say which variable sets something of a queue that there is not, or None: it would go unnoticed otherwise."""
    names = contracts.queue_names()
    given = {**DotEnvSettingsSource(SettingsGroup).env_vars, **EnvSettingsSource(SettingsGroup).env_vars}
    for variable in sorted(given):
        found = OF_A_QUEUE.fullmatch(variable)
        if found and found[1].lower() not in names:
            return f"{variable.upper()}: there is no queue {found[1].lower()}; there are {', '.join(names)}"
    return None


def checked(queue: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return given settings as what they are, text as numbers. Raises WrongSetting, which names the first wrong one."""
    given = {field: repr(value) if isinstance(value, bool) else value for field, value in given.items()}  # True is no 1
    try:
        valid = QueueSettings.model_validate(given)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(filter(None, (queue, str(problem["loc"][0]))))
        if problem["type"] == "extra_forbidden":
            raise no_such_setting(queue, str(problem["loc"][0])) from None
        message = problem["msg"][0].lower() + problem["msg"][1:]
        raise WrongSetting(f"{name}: {message}, not {problem['input']!r}") from None
    return {field: getattr(valid, field) for field in given}


def no_such_setting(queue: str, field: str) -> WrongSetting:
    """Return what is raised for a setting that there is not."""
    return WrongSetting(f"{queue}.{field}: there is no such setting; there are {', '.join(FIELDS)}")


def known(contracts: Topology, queues: Iterable[str]) -> list[str]:
    """Return queues that there are. Raises NoSuchQueue for one that there is not."""
    names = contracts.queue_names()
    for queue in (found := list(queues)):
        if queue not in names:
            raise NoSuchQueue(f"there is no queue {queue}; there are {', '.join(names)}")
    return found


def by_queue(changes: Sequence[Change]) -> dict[str, dict[str, Any]]:
    """Return the changed values of each queue by field."""
    found: dict[str, dict[str, Any]] = {}
    for change in changes:
        found.setdefault(change.queue, {})[change.field] = change.value
    return found


def told(settings: QueueSettings, origins: Mapping[str, Origin]) -> str:
    """Return settings with their origins as replicas tell them: JSON."""
    return json.dumps({name: {"value": getattr(settings, name), "origin": origins[name]} for name in FIELDS})
