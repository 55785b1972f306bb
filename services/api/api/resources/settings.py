"""What the api is set to, without secrets."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field, SecretStr

from api.http.calls import Calling
from api.http.routes import resource
from api.http.values import Answer

router = resource("settings", read="admin")

SET = "(set)"  # what is shown of a secret


class Setting(Answer):
    """A variable."""

    name: str
    value: str = Field(description=f"of a secret {SET}, or nothing where it is not set")
    is_default: bool
    description: str


class Settings(Answer):
    """All that the api reads; other services read others."""

    items: list[Setting]


@router.get("")
async def list_settings(call: Calling) -> Settings:
    """List what the api is set to."""
    return Settings(items=list(settings_of(call.system.settings)))


def settings_of(groups: Iterable[BaseModel]) -> Iterator[Setting]:
    """Return the variables of groups of settings, each once."""
    told = set()
    for group in groups:
        for name, field in type(group).model_fields.items():
            if name in told:
                continue
            told.add(name)
            value = getattr(group, name)
            default = field.get_default(call_default_factory=True)
            yield Setting(
                name=name.upper(), value=_shown(value), is_default=value == default, description=field.description or ""
            )


def _shown(value: object) -> str:
    match value:
        case SecretStr():
            return SET if value.get_secret_value() else ""
        case tuple() | list():
            return ",".join(map(str, value))
        case None:
            return ""
        case bool():
            return str(value).lower()
        case _:
            return str(value)
