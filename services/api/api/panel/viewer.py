"""Who looks at a page, and how they like it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import negotiate_locale

from api.http.callers import Caller
from common.tokens import SCOPES, Scope
from common.users.people import Language, Theme

LANGUAGES: Mapping[str, Language] = {"en": "en", "ru": "ru"}
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody before a page. Without a `session` nobody is signed in, and nothing is allowed."""

    language: Language = "en"
    theme: Theme = "auto"
    zone: ZoneInfo = UTC
    login: str = ""
    name: str = ""
    role: str = ""  # viewer, editor, admin
    scope: Scope | None = None
    shortcuts: bool = True
    session: UUID | None = None

    @property
    def caller(self) -> Caller:
        """Return who calls the API for them."""
        assert self.session
        assert self.scope
        return Caller(self.session, f"user:{self.login}", self.scope)

    def may(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed to them."""
        return self.scope is not None and SCOPES.index(self.scope) >= SCOPES.index(scope)


def preferred_language(accepted: str) -> Language:
    """Return the language that a browser asks for, https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4"""
    weighted = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((-float(quality or 1), place, tag))
        except ValueError:
            continue
    found = negotiate_locale([tag for _, _, tag in sorted(weighted)], list(LANGUAGES), sep="-")
    return LANGUAGES[found or "en"]
