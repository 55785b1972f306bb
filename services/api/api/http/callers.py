"""Who calls: the owner of a token, or a person who is signed in."""

from dataclasses import dataclass
from uuid import UUID

from common.tokens import SCOPES, Scope, Token


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, as the resources see one. `id` is the token's, or the session's; `actor` is how records name it."""

    id: UUID
    actor: str  # such as token:ci, user:anna
    scope: Scope

    def allows(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed to it."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    @classmethod
    def of_token(cls, token: Token) -> "Caller":
        """Return the owner of a token."""
        return cls(token.id, f"token:{token.name}", token.scope)
