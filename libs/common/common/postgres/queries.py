"""SQL lives in .sql files, as named and described blocks; this loads them.

-- name: claim_jobs
-- Takes the jobs that are free, one row each.
INSERT INTO …
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

NAME = re.compile(r"^-- name: *([a-z][a-z0-9_]*)$", re.MULTILINE)


class Queries(Mapping[str, str]):
    """The named statements of one .sql file."""

    def __init__(self, statements: Mapping[str, str]) -> None:
        self._statements = MappingProxyType(dict(statements))

    def __getitem__(self, name: str) -> str:
        return self._statements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)

    @classmethod
    def load(cls, package: str, file: str) -> "Queries":
        """Return `sql/<file>` of `package`, which is read once in a process.

        Raises ValueError where a name stands twice or a block has no statement.
        """
        return _read(package, file)


@cache
def _read(package: str, file: str) -> Queries:
    text = files(package).joinpath("sql", file).read_text(encoding="utf-8")
    _, *parts = NAME.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = [line for line in body.strip().splitlines() if not line.startswith("--")]
        if name in statements or not lines:
            raise ValueError(f"{package}/sql/{file}: {name} stands twice or is empty")
        statements[name] = "\n".join(lines)
    return Queries(statements)
