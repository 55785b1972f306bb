"""Bearer tokens, https://www.rfc-editor.org/rfc/rfc6750"""

from starlette.requests import HTTPConnection

from api.http.callers import Caller
from api.http.problems import Problem
from common.tokens import Scope, TokenRefused, Tokens

REALM = 'Bearer realm="postroom"'


async def authenticate(request: HTTPConnection, tokens: Tokens, scope: Scope) -> Caller:
    """Return the owner of a token. Raises a problem where it is not valid, or its scope does not allow this."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        detail = "send Authorization: Bearer and a token from `postroom token create`"
        raise Problem("unauthorized", detail, headers={"WWW-Authenticate": REALM})
    try:
        token = await tokens.check(secret.strip())
    except TokenRefused as error:
        headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
        raise Problem("unauthorized", str(error), headers=headers) from None
    if not token.allows(scope):
        headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}
        raise Problem("forbidden", f"this needs the scope {scope}; the token has {token.scope}", headers=headers)
    return Caller.of_token(token)
