"""What the bodies, parameters and answers of all resources are made of."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator

from common.telegram.utf16 import storable

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
INT4, INT8 = 2**31 - 1, 2**63 - 1
Made = TypeVar("Made", bound=BaseModel)


def _bounded(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"it must be between {EARLIEST:%Y} and {LATEST:%Y}")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_bounded)]
"""A time that is given: RFC 3339 with a zone."""

Utc = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A time that is answered: in UTC, with a Z."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(max_length=500)]
Prose = Annotated[str, StringConstraints(max_length=20_000)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Given(BaseModel):
    """What a caller sends. What it does not know is refused, so that a misspelt field does not go unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if not _is_storable(value):
            raise ValueError("it holds NUL or a lone surrogate, which can't be stored")
        return value


class Change(Given):
    """What is to be different; what is left out stays, so the defaults mean nothing and are not shown."""

    model_config = ConfigDict(json_schema_extra=lambda schema: _without_defaults(schema))


class Answer(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def merged(model: type[Made], current: BaseModel, change: BaseModel) -> Made:
    """Return a `model` of what `current` says and `change` gives. Both are valid, so it is not validated again."""
    values = {name: getattr(current, name) for name in model.model_fields}
    return model.model_construct(**values | {name: getattr(change, name) for name in change.model_fields_set})


def _without_defaults(schema: dict[str, Any]) -> None:
    for each in schema.get("properties", {}).values():
        each.pop("default", None)


def _is_storable(value: Any) -> bool:
    left = [value]  # and no recursion: a body may be nested deeper than Python's stack
    while left:
        match left.pop():
            case str(text) if text != storable(text):
                return False
            case dict(fields):
                left += [*fields, *fields.values()]
            case list(items):
                left += items
    return True
