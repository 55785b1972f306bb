"""Jobs as an operator works with them: found, looked at, retried, cancelled; one, or all that match a filter."""

from common.jobs.deciding import COUNTED, JobRefused, Jobs, NoSuchJob
from common.jobs.filters import STATUSES, JobFilter, Status
from common.jobs.operations import CancelFilter, RetryFilter, job_operations
from common.jobs.records import Attempt, JobDetails, JobSummary

__all__ = [
    "COUNTED",
    "STATUSES",
    "Attempt",
    "CancelFilter",
    "JobDetails",
    "JobFilter",
    "JobRefused",
    "JobSummary",
    "Jobs",
    "NoSuchJob",
    "RetryFilter",
    "Status",
    "job_operations",
]
