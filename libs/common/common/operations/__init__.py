"""Bulk operations: one thing done to all that match a filter, counted first, resumed after a death, with a result.

Whoever has something that can be done to many makes a `Kind` of it and names it in `common.operations.kinds`. The api
runs operations (`OperationRunner`); the command line starts one, follows it, and runs it itself where no api is.
"""

from common.operations.operation import GONE, Filter, Kind, Operation, Outcome
from common.operations.running import OperationRunner
from common.operations.starting import NoSuchOperation, OperationEnded, Operations, UnknownKind, WrongFilter, statements

__all__ = [
    "GONE",
    "Filter",
    "Kind",
    "NoSuchOperation",
    "Operation",
    "OperationEnded",
    "OperationRunner",
    "Operations",
    "Outcome",
    "UnknownKind",
    "WrongFilter",
    "statements",
]
