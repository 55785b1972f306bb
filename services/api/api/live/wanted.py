"""What a client asks for."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.http.values import INT8, Given
from api.live.told import Told

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)*\.?$", max_length=100)]


class Wanted(Given):
    """Which events, and from where on."""

    after: Annotated[int, Field(ge=0, le=INT8)] | None = Field(default=None, description="left out: from now on")
    types: Annotated[list[Kind], Field(max_length=50)] = Field(default=[], description="empty: all")
    post_id: UUID | None = None

    def takes(self, event: Told) -> bool:
        """Whether this event is asked for."""
        if self.post_id and event.post_id != str(self.post_id) and (event.id or not self.types):
            return False
        return not self.types or any(f"{event.type}.".startswith(f"{kind.rstrip('.')}.") for kind in self.types)
