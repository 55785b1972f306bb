"""Trials: profiles that are tried on past posts. They name no post, as nothing of a trial is part of a post's way."""

from typing import ClassVar
from uuid import UUID

from common.events.envelope import Event, derive


class TrialRequested(Event):
    """Rewrite a post as one run of a trial says. Post and profile are in the records."""

    subject: ClassVar[str] = "trial.requested"

    trial_id: UUID
    number: int

    def identity(self) -> UUID:
        """Return the id that the request for a run always has: its record names it."""
        return derive("trial", self.trial_id, self.number)
