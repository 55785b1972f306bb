"""Migrations: plain SQL files, forward only, each applied once, in order, under a lock.

They are written in expand/contract steps: a release only adds, and a later one removes what no running release uses.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from common.postgres.pool import NOT_LET_IN, Connection, DatabaseUnreachable

LOCK = 0x706F7374  # pg_advisory_lock key: "post"
JOURNAL = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""


class SchemaError(Exception):
    """The database does not have the schema that this release needs; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file: an applied migration must never change."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return all migrations in the order in which they are applied."""
    found = [entry for entry in files(__package__).joinpath("migrations").iterdir() if entry.name.endswith(".sql")]
    return [
        Migration(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    ]


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing and return the names.

    Raises DatabaseUnreachable, and SchemaError where an applied file was changed since.
    """
    try:
        connection = await asyncpg.connect(dsn)
    except NOT_LET_IN as error:
        raise DatabaseUnreachable(error) from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(JOURNAL)
        applied = await _applied(connection)
        missing = [migration for migration in migrations() if migration.name not in applied]
        for migration in missing:
            async with connection.transaction():
                # The SELECT is for a file of nothing but comments: asyncpg can't do with an empty query.
                await connection.execute(f"{migration.statements};\nSELECT")
                await connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", migration.name, migration.checksum
                )
        return [migration.name for migration in missing]
    finally:
        await connection.close()


async def verify_schema(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Raise SchemaError, in one line, where the database is older than this release or was migrated differently."""
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
            raise SchemaError("the database is empty: run `postroom migrate`")
        applied = await _applied(connection)
    if missing := [migration.name for migration in migrations() if migration.name not in applied]:
        raise SchemaError(f"the database lacks {', '.join(missing)}: run `postroom migrate`")


async def _applied(connection: Connection) -> set[str]:
    known = {migration.name: migration.checksum for migration in migrations()}
    rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
    for row in rows:
        if known.get(row["name"], row["checksum"]) != row["checksum"]:
            raise SchemaError(
                f"migration {row['name']} was applied in another version; it must never be edited. Use the release "
                "that this database is of, or another database; for the data of `postroom up`, another --data "
                "directory, or delete the one that it uses, in .postroom"
            )
    return {row["name"] for row in rows}
