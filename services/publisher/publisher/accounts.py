"""Accounts of platforms, as the settings give them."""

import json
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from common.planning.refusals import NoTarget
from common.planning.targets import CANONICAL
from common.settings import SettingsError


class Credentials(BaseModel):
    """What an account signs in with. With a refresh token and its client the access token is renewed by us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), BeforeValidator(str)]
    access_token: SecretStr = Field(min_length=1)
    refresh_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None


_ACCOUNTS: TypeAdapter[dict[str, Credentials]] = TypeAdapter(dict[str, Credentials])


def accounts_of(platform: str, given: SecretStr | None) -> dict[str, Credentials]:
    """Return the credentials of a platform by account. Raises SettingsError, which tells none of them."""
    name = f"{platform.upper()}_ACCOUNTS"
    try:
        accounts = _ACCOUNTS.validate_python(json.loads(given.get_secret_value()) if given else {})
        return {CANONICAL[platform](account): credentials for account, credentials in accounts.items()}
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "it"
        raise SettingsError(f"{name}: {where}: {problem['msg'][0].lower()}{problem['msg'][1:]}") from None
    except ValueError:
        raise SettingsError(f"{name}: it must be JSON") from None
    except NoTarget as error:
        raise SettingsError(f"{name}: {error}") from None


def tokens_of(accounts: dict[str, Credentials]) -> list[str]:
    """Return everything that is secret of them."""
    secrets = [
        secret
        for each in accounts.values()
        for secret in (each.access_token, each.refresh_token, each.client_secret)
        if secret
    ]
    return [secret.get_secret_value() for secret in secrets]
