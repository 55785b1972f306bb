"""PostgreSQL: pools, named queries, migrations."""

from common.postgres.migrate import SchemaError, migrate, verify_schema
from common.postgres.pool import UNREACHABLE, Connection, Database, DatabaseUnreachable, bounded, steady
from common.postgres.queries import Queries
from common.postgres.within import Within

__all__ = [
    "UNREACHABLE",
    "Connection",
    "Database",
    "DatabaseUnreachable",
    "Queries",
    "SchemaError",
    "Within",
    "bounded",
    "migrate",
    "steady",
    "verify_schema",
]
