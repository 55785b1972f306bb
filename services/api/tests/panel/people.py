"""People who use the panel in tests: one for each role, language and theme."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.panel.sessions.cookie import PLAIN
from common.postgres import Database
from common.users import Sessions

Role = Literal["viewer", "editor", "admin"]
Language = Literal["en", "ru"]
Theme = Literal["auto", "light", "dark"]

PASSWORD = "a password of the tests"
TIME_ZONE = "Europe/Moscow"
NAMES = {
    ("viewer", "en"): "Nina Orlova",
    ("editor", "en"): "Anna Lebedeva",
    ("admin", "en"): "Pavel Markov",
    ("viewer", "ru"): "Нина Орлова",
    ("editor", "ru"): "Анна Лебедева",
    ("admin", "ru"): "Павел Марков",
}
ADD = """
INSERT INTO users (login, name, role, language, time_zone, theme, password, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'tests')
ON CONFLICT (login) DO UPDATE SET login = excluded.login RETURNING id
"""


@dataclass(frozen=True)
class Someone:
    """A person of the tests. The first of each role is called as the role is."""

    role: Role = "editor"
    language: Language = "en"
    theme: Theme = "light"

    @property
    def login(self) -> str:
        """Such as editor, or editor-ru-dark."""
        return "-".join(
            [
                self.role,
                *([self.language] if self.language != "en" else []),
                *([self.theme] if self.theme != "light" else []),
            ]
        )

    async def cookie(self, database: Database, url: str) -> dict[str, str]:
        """Sign in; return the cookie for a browser."""
        row = await database.strict_fetch(
            ADD, self.login, NAMES[self.role, self.language], self.role, self.language, TIME_ZONE, self.theme, hashed()
        )
        _, secret = await Sessions(database).start(row[0]["id"], address="127.0.0.1", agent="tests")
        return {"name": PLAIN, "value": secret, "url": url}


@cache
def hashed() -> str:
    """Return the hash of the password; it takes a tenth of a second."""
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).hash(PASSWORD)
