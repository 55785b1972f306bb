"""Why something can't be planned; each docstring's class says what kind of answer that is."""

from uuid import UUID


class NotPlannable(Exception):
    """What was asked for can't be planned: the target, the time or the text won't do."""

    field = ""  # of the order, where there is one that is wrong


class NoTarget(NotPlannable):
    """The platform or the address won't do."""

    field = "target"


class WrongTime(NotPlannable):
    """The time has passed."""

    field = "scheduled_time"


class DoesNotFit(NotPlannable):
    """The platform does not take the post as it is; the message has the count."""


class NothingToPlan(NotPlannable):
    """There is no such post, content or rewrite."""


class PlannedAlready(Exception):
    """The post is planned for this target already, or is published there."""

    def __init__(self, message: str, scheduled_id: UUID | None = None) -> None:
        super().__init__(message)
        self.scheduled_id = scheduled_id


class TooLate(Exception):
    """The state of a scheduled post does not allow the change any more."""


class NoSuchScheduledPost(Exception):
    """There is no scheduled post with this id."""
