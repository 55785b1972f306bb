"""Strong ETags from what a resource says, https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3"""

import hashlib
import re

from pydantic import BaseModel

from api.http.problems import Problem

_TAGS = re.compile(r'(W/)?("[^"]*")')


def etag_of(answer: BaseModel) -> str:
    """Return the tag of an answer: equal answers have equal tags."""
    return f'"{hashlib.sha256(answer.model_dump_json().encode()).hexdigest()[:32]}"'


def check(if_match: str | None, current: BaseModel) -> None:
    """Raise a problem where the caller changes another version than the current one."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag_of(current) not in {tag for weak, tag in _TAGS.findall(if_match) if not weak}:
        raise Problem("precondition-failed", "it is not what If-Match names any more; read it again")


def unchanged(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller has this version already."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in {tag for _, tag in _TAGS.findall(if_none_match)}
