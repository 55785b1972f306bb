"""Settings: small groups, each read once, from the environment, `.env`, or a file named by `<NAME>_FILE`."""

import os
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class SettingsError(Exception):
    """A setting is wrong. The message is one line that names the variable."""


class FileSource(PydanticBaseSettingsSource):
    """Reads `<NAME>` from the file that `<NAME>_FILE` names, as Docker and Kubernetes mount secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the contents of the file, without the line break at its end."""
        name = f"{self.config.get('env_prefix') or ''}{field_name}".upper()
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8-sig").rstrip("\r\n"), field_name, False
        except OSError as error:
            raise SettingsError(f"{name}_FILE: cannot read {path}: {error.strerror}") from None

    def __call__(self) -> dict[str, Any]:
        """Return what the files hold."""
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class SettingsGroup(BaseSettings):
    """A group of settings. Fields are named like their variables, in lower case, with units in the name."""

    model_config = SettingsConfigDict(
        # An editor on Windows may put a byte order mark first; utf-8-sig takes it or leaves it.
        env_file=".env",
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    def secrets(self) -> list[str]:
        """Return what no log may show."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [secret for value in values if isinstance(value, SecretStr) and (secret := value.get_secret_value())]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then files, then `.env`."""
        return init_settings, env_settings, FileSource(settings_cls), dotenv_settings


def _postgresql(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise PydanticCustomError("address", "it must begin with postgresql://")
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgresql)]


Settings = TypeVar("Settings", bound=BaseModel)


def load_settings(group: type[Settings], **given: Any) -> Settings:
    """Read a group of settings. Raises SettingsError, in one line, where one is missing or wrong."""
    try:
        return group(**given)
    except ValidationError as error:
        raise SettingsError(_first_problem(group, error)) from None


def secrets_of(*groups: SettingsGroup) -> list[str]:
    """Return the values of all secret settings, for the logs to redact."""
    return [secret for group in groups for secret in group.secrets()]


def _first_problem(group: type[BaseModel], error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    field = str(problem["loc"][0]) if problem["loc"] else ""
    config: dict[str, Any] = dict(group.model_config)
    prefix = str(config.get("env_prefix") or "")
    name = f"{prefix}{field}".upper() if field else "settings"
    if problem["type"] == "missing":
        return f"{name} is not set ({group.model_fields[field].description or 'it is needed'})"
    declared = group.model_fields.get(field)
    given = "" if declared is None or "Secret" in str(declared.annotation) else f", not {problem['input']!r}"
    return f"{name}: {problem['msg'][0].lower()}{problem['msg'][1:]}{given}"
